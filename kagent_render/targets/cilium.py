"""CiliumNetworkPolicy: what a NetworkPolicy cannot say. Public hosts by name, and the API server as such.

Cilium learns the addresses of a name from the answers that its DNS proxy sees, so the way to DNS is in this policy
alone: a plain rule for the same port in another policy would let queries past the proxy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kagent_render.lower import Pods
from kagent_render.targets.network_policy import is_public
from kagent_render.targets.objects import metadata, selector_labels
from kagent_render.targets.templating import render


def objects(workload: Pods) -> Iterator[tuple[str, dict[str, Any]]]:
    """One CiliumNetworkPolicy, when the Platform says that the cluster runs Cilium."""
    settings = workload.platform.network_policy
    if not settings.enabled or settings.provider != "Cilium" or not workload.resolves_names:
        return
    public = sorted({(item.host, item.port) for item in workload.needs.endpoints if is_public(item)})
    context = {
        "metadata": metadata(workload),
        "selector": selector_labels(workload),
        "needs_kubernetes_api": workload.needs_kubernetes_api,
        "destinations": [{"name": _name(host), "port": str(port)} for host, port in public],
    }
    yield "ciliumnetworkpolicy.yaml", render("cilium/ciliumnetworkpolicy.yaml.j2", context)


def _name(host: str) -> dict[str, str]:
    """A host, or a pattern such as `*.blob.core.windows.net`, where GitHub keeps its logs."""
    return {"matchPattern" if "*" in host else "matchName": host}
