"""The Kubernetes operations that only read."""

from __future__ import annotations

from kagent_render.catalog.tools.kubernetes_operation import Further, Operation
from kagent_render.catalog.tools.operations import number, text

NAMESPACE = text("Namespace; default: the agent's own")
RESOURCE = text("Resource type, such as pods, services, deployments")
NAME = text("Name of the object")
WORKLOADS = ("daemonsets", "deployments", "statefulsets")
_CONTROLLER_REVISIONS: Further = (("apps", "controllerrevisions", "list"),)
# Where the earlier pod templates of a workload are kept.
REVISIONS: dict[str, Further] = {
    "daemonsets": _CONTROLLER_REVISIONS,
    "deployments": (("apps", "replicasets", "list"),),
    "statefulsets": _CONTROLLER_REVISIONS,
}
_WORKLOAD = {"resource": text("deployments, statefulsets or daemonsets"), "name": NAME, "namespace": NAMESPACE}

READING: dict[str, Operation] = {
    "get": Operation(
        "List Kubernetes resources as a table, or get one by name. Use it first, to see what is there.",
        {
            "resource": RESOURCE,
            "name": text("Name of one object; default: list all"),
            "namespace": NAMESPACE,
            "labelSelector": text("Label selector, such as app=checkout"),
            "fieldSelector": text("Field selector, such as status.phase=Failed"),
            "output": {"type": "string", "enum": ["table", "yaml"], "description": "table (default) or yaml"},
        },
        ("resource",),
        ("get", "list"),
    ),
    "describe": Operation(
        "Describe one Kubernetes object: its spec, status, conditions and recent events.",
        {"resource": RESOURCE, "name": NAME, "namespace": NAMESPACE},
        ("resource", "name"),
        ("get",),
    ),
    "logs": Operation(
        "Read the logs of a pod's container.",
        {
            "pod": text("Name of the pod"),
            "namespace": NAMESPACE,
            "container": text("Container; needed when the pod has several"),
            "previous": {"type": "boolean", "description": "Logs of the instance before the last restart"},
            "tailLines": number("Lines from the end; default 200"),
            "sinceSeconds": number("Only lines newer than this many seconds"),
        },
        ("pod",),
        ("get",),
        subresource="log",
        defaults=("pods",),
        only=("pods",),
    ),
    "events": Operation(
        "List the events of a namespace or of one object, newest first: what Kubernetes did and what went wrong.",
        {
            "namespace": NAMESPACE,
            "kind": text("Kind of the object, such as Pod or Deployment; default: all kinds"),
            "name": text("Name of the object; default: all objects"),
            "type": text("Only events of this type", "Normal", "Warning"),
            "limit": number("How many of the newest; default 50"),
        },
        (),
        ("list",),
        defaults=("events",),
        only=("events",),
    ),
    "top": Operation(
        "Show the CPU and memory that pods or nodes use now, the largest use of CPU first.",
        {
            "resource": text("pods or nodes; default: pods where granted"),
            "name": text("Name of one pod or node; default: all"),
            "namespace": NAMESPACE,
            "labelSelector": text("Label selector, such as app=checkout"),
        },
        (),
        ("list",),
        defaults=("pods",),
        only=("nodes", "pods"),
        reads_metrics=True,
    ),
    "rollout-status": Operation(
        "Tell whether the rollout of a Deployment, StatefulSet or DaemonSet is complete, and what it waits for.",
        _WORKLOAD,
        ("resource", "name"),
        ("get",),
        defaults=WORKLOADS,
        only=WORKLOADS,
    ),
    "rollout-history": Operation(
        "List the revisions of a Deployment, StatefulSet or DaemonSet with their images, or show one in full.",
        _WORKLOAD | {"revision": number("Show the pod template of this revision; default: list all")},
        ("resource", "name"),
        ("get",),
        defaults=WORKLOADS,
        only=WORKLOADS,
        also=REVISIONS,
    ),
    "api-resources": Operation(
        "List the resource types that the API server serves, custom ones included, with their short names and kinds.",
        {
            "apiGroup": text("Only this API group, such as apps; core is the group without a name"),
            "verb": text("Only resources that have this verb, such as list or patch"),
            "filter": text("Only resources whose name or kind contains this"),
        },
        (),
        (),
        defaults=(),
        reads_discovery=True,
    ),
    "explain": Operation(
        "Explain the fields of a resource type, from the schema that the API server has: types, which are required, "
        "and what they mean. Use it before writing a manifest or a patch.",
        {
            "resource": text("Resource type, such as deployments, or certificates.cert-manager.io"),
            "field": text("Path of a field, such as spec.template.spec.containers; default: the whole resource"),
            "recursive": {"type": "boolean", "description": "All fields below, by name and type only"},
        },
        ("resource",),
        (),
        defaults=(),
        reads_discovery=True,
    ),
}
