"""No host leads to two workloads: the interceptor of KEDA's HTTP add-on would pick one of them."""

from __future__ import annotations

from collections.abc import Sequence

from kagent_render.diagnostics import Diagnostics, Label
from kagent_render.targets.objects import RenderedObject


def check(objects: Sequence[RenderedObject], diagnostics: Diagnostics) -> None:
    """KR527 for a host of a second InterceptorRoute."""
    first: dict[str, RenderedObject] = {}
    for item in objects:
        if item.data["kind"] != "InterceptorRoute":
            continue
        for host in (host for rule in item.data["spec"]["rules"] for host in rule["hosts"]):
            other = first.setdefault(host, item)
            if other is not item:
                label = Label(other.origin, "the other one")
                message = f"the host `{host}` leads to `{other.identity[3]}` already"
                help = "give each workload hosts of its own"
                diagnostics.add("KR527", message, item.origin, labels=[label], help=help)
