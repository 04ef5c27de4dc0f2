"""CiliumNetworkPolicy: what a NetworkPolicy cannot say. Public hosts by name, and the API server as such.

Cilium learns the addresses of a name from the answers that its DNS proxy sees, so the way to DNS is in this policy
alone: a plain rule for the same port in another policy would let queries past the proxy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kagent_render.lower import Workload
from kagent_render.targets.network_policy import is_public
from kagent_render.targets.objects import metadata, selector_labels
from kagent_render.targets.templating import render


def objects(workload: Workload) -> Iterator[tuple[str, dict[str, Any]]]:
    """One CiliumNetworkPolicy, when the Platform says that the cluster runs Cilium."""
    settings = workload.platform.network_policy
    if not settings.enabled or settings.provider != "Cilium":
        return
    public = sorted({(item.host, item.port) for item in workload.needs.endpoints if is_public(item)})
    context = {
        "metadata": metadata(workload),
        "selector": selector_labels(workload),
        "needs_kubernetes_api": workload.needs_kubernetes_api,
        "destinations": [{"host": host, "port": str(port)} for host, port in public],
    }
    yield "ciliumnetworkpolicy.yaml", render("cilium/ciliumnetworkpolicy.yaml.j2", context)
