// What Flux's kustomize-controller does with a folder, by its own libraries: build, substitution of variables (strict,
// as by default since Flux 2.9), server-side apply in its stages, and deletion of what an earlier run applied and this
// one has no more.
//
//	flux-apply -kubeconfig FILE -inventory FILE [-var NAME=VALUE] FOLDER
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/polling"
	"github.com/fluxcd/pkg/kustomize"
	"github.com/fluxcd/pkg/ssa"
	"github.com/fluxcd/pkg/ssa/utils"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// Each object as `Kind/namespace/name`, with what happened to it.
type report struct {
	Applied map[string]string `json:"applied"`
	Pruned  map[string]string `json:"pruned"`
}

func main() {
	log.SetLogger(logr.Discard())
	kubeconfig := flag.String("kubeconfig", "", "kubeconfig of the cluster")
	inventory := flag.String("inventory", "", "file with what was applied, read and written")
	vars := map[string]any{}
	flag.Func("var", "a variable of postBuild.substitute, NAME=VALUE", func(text string) error {
		name, value, found := strings.Cut(text, "=")
		if !found {
			return errors.New("no =")
		}
		vars[name] = value
		return nil
	})
	flag.Parse()
	found, err := run(*kubeconfig, *inventory, vars, flag.Arg(0))
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(found)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(kubeconfig, inventory string, vars map[string]any, folder string) (*report, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = 200, 400
	kube, manager, err := newManager(config)
	if err != nil {
		return nil, err
	}
	objects, err := build(ctx, kube, vars, folder)
	if err != nil {
		return nil, err
	}
	found := &report{Applied: map[string]string{}, Pruned: map[string]string{}}
	changes, err := manager.ApplyAllStaged(ctx, objects, ssa.DefaultApplyOptions())
	if err != nil {
		return nil, err
	}
	for _, entry := range changes.Entries {
		found.Applied[entry.Subject] = string(entry.Action)
	}
	stale, err := replaceInventory(inventory, objects)
	if err != nil {
		return nil, err
	}
	gone, err := manager.DeleteAll(ctx, stale, ssa.DefaultDeleteOptions())
	if err != nil {
		return nil, err
	}
	for _, entry := range gone.Entries {
		found.Pruned[entry.Subject] = string(entry.Action)
	}
	return found, nil
}

func newManager(config *rest.Config) (client.Client, *ssa.ResourceManager, error) {
	http, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, nil, err
	}
	mapper, err := apiutil.NewDynamicRESTMapper(config, http)
	if err != nil {
		return nil, nil, err
	}
	kube, err := client.New(config, client.Options{HTTPClient: http, Mapper: mapper})
	if err != nil {
		return nil, nil, err
	}
	poller := polling.NewStatusPoller(kube, mapper, polling.Options{})
	owner := ssa.Owner{Field: "kustomize-controller", Group: "kustomize.toolkit.fluxcd.io"}
	return kube, ssa.NewResourceManager(kube, poller, owner), nil
}

func build(ctx context.Context, kube client.Client, vars map[string]any, folder string) ([]*unstructured.Unstructured, error) {
	built, err := kustomize.SecureBuild(folder, folder, false)
	if err != nil {
		return nil, err
	}
	owner := unstructured.Unstructured{Object: map[string]any{
		"spec": map[string]any{"postBuild": map[string]any{"substitute": vars}},
	}}
	objects := []*unstructured.Unstructured{}
	for _, resource := range built.Resources() {
		changed, err := kustomize.SubstituteVariables(ctx, kube, owner, resource, kustomize.SubstituteWithStrict(true))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", resource.CurId(), err)
		}
		if changed != nil {
			resource = changed
		}
		data, err := resource.MarshalJSON()
		if err != nil {
			return nil, err
		}
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(data); err != nil {
			return nil, err
		}
		objects = append(objects, object)
	}
	return objects, nil
}

// replaceInventory writes down the objects, and returns those that were there before and are not any more.
func replaceInventory(file string, objects []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	now, before := map[string]*unstructured.Unstructured{}, map[string]*unstructured.Unstructured{}
	for _, object := range objects {
		short := &unstructured.Unstructured{Object: map[string]any{}}
		short.SetGroupVersionKind(object.GroupVersionKind())
		short.SetName(object.GetName())
		short.SetNamespace(object.GetNamespace())
		now[utils.FmtUnstructured(short)] = short
	}
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, &before)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	stale := []*unstructured.Unstructured{}
	for name, object := range before {
		if now[name] == nil {
			stale = append(stale, object)
		}
	}
	data, err = json.Marshal(now)
	if err != nil {
		return nil, err
	}
	return stale, os.WriteFile(file, data, 0o600)
}
