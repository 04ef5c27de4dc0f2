"""The rendered object, and the labels and names every target shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kagent_render.diagnostics import Span
from kagent_render.lower import Pods, Workload

PORT = 8080


def port_name(workload: Workload) -> str:
    """The name of the port that serves the agent, in the pod and in the Service."""
    return "https" if workload.platform.tls else "http"


CONFIG_PATH = "/etc/kagent/runtime.json"
USER_ID = 10001
_COMPONENTS = {"Agent": "agent", "AgentTeam": "agent-team", "Tool": "mcp-server"}
MANAGED_BY = {"app.kubernetes.io/managed-by": "kagent-render"}
# Argo CD applies kinds it does not know all at once, so what others need comes in a wave before theirs. Not they in one
# behind: a wave waits until all before it are healthy, and one pod that never starts would hold up every later commit.
BEFORE_THE_REST = {"argocd.argoproj.io/sync-wave": "-1"}


@dataclass(frozen=True, slots=True)
class RenderedObject:
    """A Kubernetes object, the file it goes to, and the place in the specs it comes from."""

    data: dict[str, Any]
    path: str
    origin: Span

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """Group, kind, namespace and name: what an API server tells objects apart by."""
        metadata = self.data["metadata"]
        group = self.data["apiVersion"].rpartition("/")[0]
        return (group, self.data["kind"], metadata.get("namespace") or "", metadata["name"])


def claim_name(workload: Workload) -> str:
    """The PersistentVolumeClaim of its conversations."""
    return f"{workload.name}-state"


def selector_labels(workload: Pods) -> dict[str, str]:
    """The immutable selector: one key of our own, so that no other tool rewrites it."""
    return dict([workload.own_label])


def labels(workload: Pods) -> dict[str, str]:
    """The labels of every object: the user's, ours on top, sorted."""
    own = {
        "app.kubernetes.io/component": _COMPONENTS[workload.kind],
        "app.kubernetes.io/managed-by": "kagent-render",
        "app.kubernetes.io/name": workload.name,
    }
    merged = workload.labels | own | selector_labels(workload)
    return {key: merged[key] for key in sorted(merged)}


def metadata(workload: Pods, name: str | None = None, namespace: str | None = None) -> dict[str, Any]:
    """Object metadata; a namespace that is not known is left out, and the destination decides."""
    annotations = {key: workload.annotations[key] for key in sorted(workload.annotations)}
    fields = {
        "name": name or workload.name,
        "namespace": namespace or workload.namespace,
        "labels": labels(workload),
        "annotations": annotations or None,
    }
    return {key: value for key, value in fields.items() if value is not None}
