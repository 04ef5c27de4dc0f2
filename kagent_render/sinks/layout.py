"""The files of an output folder: one object a file, and the kustomization that lists them."""

from __future__ import annotations

from collections.abc import Sequence

from kagent_render.emit import HEADER, emit
from kagent_render.targets.objects import RenderedObject
from kagent_render.targets.templating import render

KUSTOMIZATION = "kustomization.yaml"


def layout(objects: Sequence[RenderedObject]) -> dict[str, str]:
    """Path below the folder to text, in the order of the paths; the kustomization comes last."""
    files = {item.path: HEADER + emit(item.data) for item in sorted(objects, key=lambda item: item.path)}
    kustomization = render("kustomize/kustomization.yaml.j2", {"resources": list(files)})
    return files | {KUSTOMIZATION: HEADER + emit(kustomization)}
