"""Single fields given on the command line, as overlays: `Agent/helper:spec.workload.replicas=2`."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from kagent_render.diagnostics import Diagnostics
from kagent_render.source.discover import SourceFile
from kagent_render.source.scalars import resolve

_FORM = re.compile(r"([A-Z][A-Za-z]*)/([a-z0-9][-.a-z0-9]*):([^=\s]+)=(.*)", re.DOTALL)
_DOT = re.compile(r"(?<!\\)\.")


def read_settings(settings: Sequence[str], diagnostics: Diagnostics) -> list[SourceFile]:
    """One partial document for each setting; what is none is a KR011. An empty value removes the field, as null does.

    Dots in a key are written `\\.`, as for Helm's --set.
    """
    files = []
    for setting in settings:
        match = _FORM.fullmatch(setting)
        if match is None:
            shown = setting.partition("=")[0]  # a value may be anything
            help = "write KIND/NAME:FIELD=VALUE, such as Agent/helper:spec.workload.replicas=2"
            diagnostics.add("KR011", f"`{shown[:80]}` does not name a field of a spec", None, help=help)
            continue
        kind, name, path, value = match.groups()
        files.append(SourceFile(f"--set {kind}/{name}:{path}", json.dumps(_document(kind, name, path, value))))
    return files


def _document(kind: str, name: str, path: str, value: str) -> dict[str, Any]:
    held: Any = resolve(value) if value else None
    for key in reversed(_DOT.split(path)):
        held = {key.replace("\\.", "."): held}
    group = "render.kagent.dev/v1alpha1" if kind == "Platform" else "kagent.dev/v1alpha1"
    document: dict[str, Any] = {"apiVersion": group, "kind": kind}
    metadata = {**(held.pop("metadata", None) or {}), "name": name}
    return {**document, "metadata": metadata, **held}
