"""No two objects with one identity, and no name too long for what is made from it."""

from __future__ import annotations

from collections.abc import Sequence

from kagent_render.diagnostics import Diagnostics, Label
from kagent_render.targets.objects import RenderedObject

# What is made from the name must fit a label of 63 characters: `keda-hpa-<name>` (KEDA's webhook, since 2.20), and
# Knative's first Revision, `<name>-00001`.
_NAME_LIMITS = {("keda.sh", "ScaledObject"): 54, ("serving.knative.dev", "Service"): 57}


def check(objects: Sequence[RenderedObject], diagnostics: Diagnostics) -> None:
    """KR501 for a second object of one identity, KR505 for names KEDA refuses."""
    first: dict[tuple[str, str, str, str], RenderedObject] = {}
    for item in objects:
        other = first.setdefault(item.identity, item)
        group, kind, namespace, name = item.identity
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
        limit = _NAME_LIMITS.get((group, kind), len(name))
        if len(name) > limit:
            what = "Knative Service" if group.endswith("knative.dev") else kind
            message = f"`{name}` is too long for a {what}"
            diagnostics.add("KR505", message, item.origin, help=f"use at most {limit} characters")
