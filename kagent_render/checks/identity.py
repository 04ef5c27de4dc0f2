"""No two objects with one identity, and no name too long for what is made from it."""

from __future__ import annotations

from collections.abc import Sequence

from kagent_render.diagnostics import Diagnostics, Label
from kagent_render.targets.objects import RenderedObject

KEDA_NAME_LIMIT = 54  # `keda-hpa-` + name must fit a 63-character label (KEDA webhook, since 2.20)


def check(objects: Sequence[RenderedObject], diagnostics: Diagnostics) -> None:
    """KR501 for a second object of one identity, KR505 for names KEDA refuses."""
    first: dict[tuple[str, str, str, str], RenderedObject] = {}
    for item in objects:
        other = first.setdefault(item.identity, item)
        _, kind, namespace, name = item.identity
        if other is not item:
            where = f" in namespace `{namespace}`" if namespace else ""
            label = Label(other.origin, "the other one")
            diagnostics.add(
                "KR501",
                f"{kind} `{name}`{where} is rendered twice",
                item.origin,
                labels=[label],
                help="rename one of the workloads",
            )
        if kind == "ScaledObject" and len(name) > KEDA_NAME_LIMIT:
            message = f"`{name}` is too long for a ScaledObject"
            diagnostics.add("KR505", message, item.origin, help=f"use at most {KEDA_NAME_LIMIT} characters")
