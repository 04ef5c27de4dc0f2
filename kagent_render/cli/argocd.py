"""`kagent-render argocd`: the commands of the config management plugin, and what installs it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from kagent_render.cli.output import say
from kagent_render.compiler import Compilation, compile_paths
from kagent_render.diagnostics import Severity
from kagent_render.emit import emit_all
from kagent_render.gitops.argocd_objects import Source, shown
from kagent_render.gitops.argocd_parameters import ParameterError, Parameters, announcement, read_parameters

_LINES, _WIDTH = 20, 400  # Argo CD shows all of stderr in one message, and caches it
_NOTE = "note: with manifest-generate-paths, Argo CD sends only what those paths have in common"


def generate(paths: Sequence[str], allow_empty: bool) -> int:
    """Print every object, or nothing and exit 1: an output that lacks some would have Argo CD delete them."""
    try:
        asked = read_parameters(os.environ)
        chosen = _within(asked.paths or paths or (".",))
    except ParameterError as error:
        say(f"error: {error}")
        return 1
    compilation = compile_paths(chosen, asked.namespace, asked.environment, settings=asked.settings)
    if not compilation.objects and allow_empty and _is_only_empty(compilation):
        return 0
    _report(compilation)
    if compilation.diagnostics.has_errors:
        return 1
    if not compilation.objects:
        say("error: the specs have no agent or team, so there is nothing to deploy; --allow-empty lets that be")
        return 1
    text = emit_all(item.data for item in compilation.objects)
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
    sys.stdout.write(text)
    sys.stdout.flush()
    return 0


def _within(paths: Sequence[str]) -> tuple[str, ...]:
    """The paths, none of them outside the repository that Argo CD sent. Raises ParameterError."""
    here = Path.cwd().resolve()
    below = Path(os.environ.get("ARGOCD_APP_SOURCE_PATH") or ".")
    root = Path(str(here).removesuffix(f"/{below.as_posix()}")) if below.parts else here
    for path in paths:
        if Path(path).is_absolute() or not (here / path).resolve().is_relative_to(root):
            raise ParameterError(f"the path `{path}` is outside the repository")
    return tuple(paths)


def _is_only_empty(compilation: Compilation) -> bool:
    found = compilation.diagnostics.in_order()
    return all(item.code == "KR009" for item in found if item.severity is Severity.ERROR)


def _report(compilation: Compilation) -> None:
    from kagent_render.reports.registry import FORMATS
    from kagent_render.reports.text import SourceLines

    found = compilation.diagnostics.in_order()
    lines = list(FORMATS["concise"](found, SourceLines(compilation.files, found)))
    for line in lines[:_LINES]:
        say(line[:_WIDTH])
    if len(lines) > _LINES:
        say(f"and {len(lines) - _LINES} more; `kagent-render check` shows all")
    if any(item.code == "KR006" for item in found):
        say(_NOTE)


def parameters(path: str) -> int:
    """Print the announcement: a defect of the specs does not hide the fields in which it may be mended."""
    folder = Path(path, "environments")
    known = sorted(entry.name for entry in folder.iterdir() if entry.is_dir()) if folder.is_dir() else []
    try:
        asked = read_parameters(os.environ)
    except ParameterError:
        asked = Parameters()
    sys.stdout.write(json.dumps(announcement(known, asked)) + "\n")
    return 0


def plugin(what: str, image: str, source: Source) -> int:
    """Print one of the documents that install the plugin or use it."""
    sys.stdout.write(shown(what, image, source))
    return 0
