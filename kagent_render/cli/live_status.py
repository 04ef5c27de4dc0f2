"""The status of workloads for `get --live` and `describe --live`."""

from __future__ import annotations

from kagent_render.cli.kubectl import Kubectl, Object, group_of
from kagent_render.cli.live import OURS, place
from kagent_render.compiler import Compilation
from kagent_render.resolve import AgentNode, TeamNode
from kagent_render.targets.objects import selector_labels
from kagent_render.views.describe import workload_of
from kagent_render.views.inventory import roots_of
from kagent_render.views.live_status import Status, status_of

# Objects of these groups have no status worth a request, and not everybody may read them.
_WITHOUT_STATUS = {"", "rbac.authorization.k8s.io", "networking.k8s.io"}


class LiveStatus:
    """The statuses of a compilation's workloads, from a few requests."""

    def __init__(self, compilation: Compilation, context: str | None) -> None:
        kubectl = Kubectl(context)
        resources = kubectl.resources()
        known = {(item.group, item.kind) for item in resources}
        rendered = [item for item in compilation.objects if group_of(item.data) not in _WITHOUT_STATUS]
        rendered = [item for item in rendered if (group_of(item.data), item.data["kind"]) in known]
        placed = place([item.data for item in rendered], resources, kubectl)
        self._paths = {_key(data): item.path for item, data in zip(rendered, placed, strict=True)}
        self._live = kubectl.live(placed)
        self._compilation = compilation
        self._default = kubectl.namespace() if any(not item.namespace for item in compilation.workloads) else ""
        namespaces = {item.namespace or self._default for item in compilation.workloads}
        pods = [item for item in resources if (item.group, item.kind) == ("", "Pod")]
        self._pods = [pod for namespace in sorted(namespaces) for pod in kubectl.labelled(pods, OURS, namespace)]

    def of(self, node: AgentNode | TeamNode) -> list[Status]:
        """The statuses of the workloads that an agent or team runs in."""
        found = []
        for root in roots_of(node, self._compilation.graph):
            workload = workload_of(root, self._compilation)
            if workload is not None:
                namespace = workload.namespace or self._default
                folder = f"{workload.directory}/"
                objects = [item for item in self._live if self._paths.get(_key(item), "").startswith(folder)]
                found.append(status_of(namespace, workload.name, selector_labels(workload), objects, self._pods))
        return found


def _key(item: Object) -> tuple[str, str, str, str]:
    metadata = item["metadata"]
    return (group_of(item), item["kind"], metadata.get("namespace") or "", metadata["name"])


def in_words(statuses: list[Status]) -> str:
    """One cell of a table; the workloads are named where there are several."""
    if len(statuses) == 1:
        return statuses[0].summary
    return "; ".join(f"{status.name} {status.summary}" for status in statuses)
