"""Objects must fit: 1 MiB in etcd for a ConfigMap, 256 KiB in the annotation of client-side apply."""

from __future__ import annotations

from collections.abc import Sequence

from kagent_render.diagnostics import Diagnostics
from kagent_render.targets.objects import RenderedObject

LIMIT_BYTES = 1 << 20
WARNING_BYTES = 200 << 10


def check(objects: Sequence[RenderedObject], diagnostics: Diagnostics) -> None:
    """KR502 over the limit, KR503 near the limit of client-side apply."""
    for item in objects:
        if item.data["kind"] != "ConfigMap":
            continue
        size = sum(len(key) + len(value.encode()) for key, value in item.data["data"].items())
        name = item.data["metadata"]["name"]
        if size > LIMIT_BYTES:
            help = "shorten the prompts" if "runtime.json" in item.data["data"] else "put the code into the image"
            diagnostics.add("KR502", f"ConfigMap `{name}` holds {size:,} bytes", item.origin, help=help)
        elif size > WARNING_BYTES:
            diagnostics.add(
                "KR503", f"ConfigMap `{name}` holds {size:,} bytes", item.origin, help="use server-side apply"
            )
