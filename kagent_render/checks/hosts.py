"""No host leads to two workloads: a Gateway would serve the older route, the interceptor of KEDA's add-on any."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kagent_render.diagnostics import Diagnostics, Label
from kagent_render.targets.objects import RenderedObject


def check(objects: Sequence[RenderedObject], diagnostics: Diagnostics) -> None:
    """KR527 for a host of a second HTTPRoute or InterceptorRoute."""
    first: dict[tuple[str, str], RenderedObject] = {}
    for item in objects:
        for host in _hosts(item.data):
            other = first.setdefault((item.data["kind"], host), item)
            if other is not item:
                label = Label(other.origin, "the other one")
                message = f"the host `{host}` leads to `{other.identity[3]}` already"
                help = "give each workload a host of its own: rename one, or change its hosts"
                diagnostics.add("KR527", message, item.origin, labels=[label], help=help)


def _hosts(data: dict[str, Any]) -> Iterator[str]:
    if data["kind"] == "HTTPRoute":
        yield from data["spec"].get("hostnames") or ()
    elif data["kind"] == "InterceptorRoute":
        for rule in data["spec"].get("rules") or ():
            yield from rule.get("hosts") or ()
