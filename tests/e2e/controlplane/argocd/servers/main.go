// The servers of Argo CD that take an Application from Git to a cluster, without its API server, which embeds the user
// interface, and without its command line. As in its own main.go, ARGOCD_BINARY_NAME says which one to be.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/klog/v2"

	controller "github.com/argoproj/argo-cd/v3/cmd/argocd-application-controller/commands"
	commit "github.com/argoproj/argo-cd/v3/cmd/argocd-commit-server/commands"
	repo "github.com/argoproj/argo-cd/v3/cmd/argocd-repo-server/commands"
	"github.com/argoproj/argo-cd/v3/util/log"
)

var servers = map[string]func() *cobra.Command{
	"argocd-application-controller": controller.NewCommand,
	"argocd-commit-server":          commit.NewCommand,
	"argocd-repo-server":            repo.NewCommand,
}

func main() {
	klog.SetLogger(log.NewLogrusLogger(log.NewWithCurrentConfig()))
	name := os.Getenv("ARGOCD_BINARY_NAME")
	command, known := servers[name]
	if !known {
		fmt.Fprintf(os.Stderr, "ARGOCD_BINARY_NAME: unknown server %q\n", name)
		os.Exit(2)
	}
	if command().Execute() != nil {
		os.Exit(1)
	}
}
