// A call of a config management plugin server, made as the repo server makes it (reposerver/repository/repository.go,
// generateManifestsCMP and getPluginParameterAnnouncement): the repository is streamed to the socket, the answer printed.
//
//	cmp-call [-timeout 60s] generate|match|parameters SOCKET ROOT APP [NAME=VALUE...]
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/argoproj/argo-cd/v3/cmpserver/apiclient"
	"github.com/argoproj/argo-cd/v3/util/cmp"
)

func main() {
	timeout := flag.Duration("timeout", time.Minute, "deadline of the call")
	flag.Parse()
	if flag.NArg() < 4 {
		flag.Usage()
		os.Exit(2)
	}
	answer, err := call(*timeout, flag.Arg(0), flag.Arg(1), flag.Arg(2), flag.Arg(3), flag.Args()[4:])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(answer)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func call(timeout time.Duration, what, socket, root, app string, env []string) (any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	connection, client, err := apiclient.NewConfigManagementPluginClientSet(socket).NewConfigManagementPluginClient()
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	switch what {
	case "generate":
		stream, err := client.GenerateManifest(ctx)
		if err != nil {
			return nil, err
		}
		if err := cmp.SendRepoStream(stream.Context(), app, root, stream, env, nil); err != nil {
			return nil, err
		}
		return stream.CloseAndRecv()
	case "match":
		stream, err := client.MatchRepository(ctx)
		if err != nil {
			return nil, err
		}
		if err := cmp.SendRepoStream(stream.Context(), app, root, stream, env, nil); err != nil {
			return nil, err
		}
		return stream.CloseAndRecv()
	case "parameters":
		stream, err := client.GetParametersAnnouncement(ctx)
		if err != nil {
			return nil, err
		}
		if err := cmp.SendRepoStream(stream.Context(), app, root, stream, env, nil); err != nil {
			return nil, err
		}
		return stream.CloseAndRecv()
	}
	return nil, fmt.Errorf("unknown call %q", what)
}
