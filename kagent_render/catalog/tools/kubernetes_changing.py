"""The Kubernetes operations that change the cluster. Each waits for a person's approval, unless a spec says no."""

from __future__ import annotations

from typing import Any

from kagent_render.catalog.tools.kubernetes_operation import Operation
from kagent_render.catalog.tools.kubernetes_reading import NAME, NAMESPACE, RESOURCE, REVISIONS, WORKLOADS
from kagent_render.catalog.tools.operations import number, text

# What a tool may change without naming it: the objects of an application. No secrets, no RBAC, nothing cluster-scoped.
CHANGE_DEFAULT: tuple[str, ...] = (
    "configmaps",
    "cronjobs",
    "daemonsets",
    "deployments",
    "horizontalpodautoscalers",
    "ingresses",
    "jobs",
    "poddisruptionbudgets",
    "services",
    "statefulsets",
)
_SCALABLE = ("deployments", "replicasets", "replicationcontrollers", "statefulsets")
_OBJECT = {"resource": RESOURCE, "name": NAME, "namespace": NAMESPACE}
_NODE = {"name": text("Name of the node")}
COMMAND = "The command with its arguments, quoted as for a shell where they have spaces"


def _flag(description: str) -> dict[str, Any]:
    return {"type": "boolean", "description": description}


CHANGING: dict[str, Operation] = {
    "scale": Operation(
        "Set the number of replicas of a Deployment or StatefulSet.",
        _OBJECT | {"replicas": number("Wanted number of replicas; 0 stops it")},
        ("resource", "name", "replicas"),
        ("get", "patch"),
        subresource="scale",
        defaults=("deployments", "statefulsets"),
        only=_SCALABLE,
        is_changing=True,
    ),
    "rollout-restart": Operation(
        "Restart the pods of a Deployment, StatefulSet or DaemonSet one after the other, as its strategy says.",
        _OBJECT,
        ("resource", "name"),
        ("patch",),
        defaults=WORKLOADS,
        only=WORKLOADS,
        is_changing=True,
    ),
    "rollout-undo": Operation(
        "Roll a Deployment, StatefulSet or DaemonSet back to an earlier revision. See kubectl-rollout-history first.",
        _OBJECT | {"revision": number("Revision to go back to; default: the one before")},
        ("resource", "name"),
        ("get", "patch"),
        defaults=WORKLOADS,
        only=WORKLOADS,
        also=REVISIONS,
        is_changing=True,
    ),
    "apply": Operation(
        "Apply one Kubernetes manifest (server-side apply): fields it names are set, all others stay as they are.",
        {
            "manifest": text("The manifest of one object, in YAML or JSON"),
            "force": _flag("Take over fields that another field manager set to another value; default false"),
        },
        ("manifest",),
        ("get", "patch"),
        defaults=CHANGE_DEFAULT,
        is_changing=True,
    ),
    "patch": Operation(
        "Change fields of one Kubernetes object by a JSON merge patch.",
        _OBJECT | {"patch": text('The merge patch, a YAML or JSON object such as {"spec": {"paused": true}}')},
        ("resource", "name", "patch"),
        ("get", "patch"),
        defaults=CHANGE_DEFAULT,
        is_changing=True,
    ),
    "label": Operation(
        "Set or remove labels of one Kubernetes object.",
        _OBJECT | {"labels": text("As in kubectl: tier=web sets, tier- removes; several with spaces between")},
        ("resource", "name", "labels"),
        ("get", "patch"),
        defaults=CHANGE_DEFAULT,
        is_changing=True,
    ),
    "annotate": Operation(
        "Set or remove annotations of one Kubernetes object.",
        _OBJECT
        | {
            "annotations": text("As in kubectl: owner=web sets, owner- removes; several with spaces between, or quoted")
        },
        ("resource", "name", "annotations"),
        ("get", "patch"),
        defaults=CHANGE_DEFAULT,
        is_changing=True,
    ),
    "delete": Operation(
        "Delete one Kubernetes object; what it owns is deleted with it.",
        _OBJECT,
        ("resource", "name"),
        ("delete", "get"),
        defaults=(*CHANGE_DEFAULT, "pods"),
        is_changing=True,
    ),
    "cordon": Operation(
        "Keep new pods off a node. Its pods go on running.",
        _NODE,
        ("name",),
        ("get", "patch"),
        defaults=("nodes",),
        only=("nodes",),
        is_changing=True,
    ),
    "uncordon": Operation(
        "Let new pods onto a node again.",
        _NODE,
        ("name",),
        ("get", "patch"),
        defaults=("nodes",),
        only=("nodes",),
        is_changing=True,
    ),
    "drain": Operation(
        "Cordon a node and evict its pods, within their PodDisruptionBudgets. Pods of DaemonSets and pods without a "
        "controller stay. Call it again when pods are still held.",
        _NODE
        | {"deleteEmptyDirData": _flag("Evict also pods whose emptyDir volumes would lose their data; default false")},
        ("name",),
        ("get", "patch"),
        defaults=("nodes",),
        only=("nodes",),
        also={"nodes": (("", "pods", "list"), ("", "pods/eviction", "create"))},
        is_changing=True,
    ),
    # A websocket begins with a GET, so that `get` is asked for, and since Kubernetes 1.35 `create` beside it
    # (pkg/registry/core/pod/rest/subresources.go, AuthorizePodWebsocketUpgradeCreatePermission).
    "exec": Operation(
        "Run one command in a running container, without a shell: no pipes, no variables, no wildcards.",
        {
            "pod": text("Name of the pod"),
            "namespace": NAMESPACE,
            "container": text("Container; needed when the pod has several"),
            "command": text(COMMAND),
        },
        ("pod", "command"),
        ("create", "get"),
        subresource="exec",
        defaults=("pods",),
        only=("pods",),
        also={"pods": (("", "pods", "get"),)},
        is_changing=True,
        takes_commands=True,
    ),
}
