"""`kagent-render diff`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from kagent_render.cli import before
from kagent_render.cli.output import report, say
from kagent_render.compiler import Compilation, compile_paths
from kagent_render.views import markdown, text
from kagent_render.views.blast_radius import blast_radius
from kagent_render.views.facts import facts_of
from kagent_render.views.object_diff import changed_objects

_FORMATS = {"text": text.render, "markdown": markdown.render}


def run(
    paths: Sequence[str],
    namespace: str | None,
    environment: str | None,
    output: str | None,
    revision: str | None,
    format_: str,
    templates: str | None = None,
) -> int:
    """Print what differs from a folder or a revision. Exit 0 when nothing does, 1 when something does."""
    compilation = compile_paths(paths, namespace, environment, templates=templates)
    report(compilation, sys.stderr, None)
    if compilation.diagnostics.has_errors:
        return 1
    if revision is not None:
        earlier = before.compile_revision(paths, revision, namespace, environment, templates)
        if earlier is not None and earlier.diagnostics.has_errors:
            say(f"the specs have errors at {revision}, so there is nothing to compare with; compare with a folder: -o")
            return 1
        old = _objects(earlier) if earlier else []
    else:
        old = before.folder_objects(Path(output or "."))
        _check_readable(old, output)
    return _print(old, _objects(compilation), format_)


def _check_readable(objects: list[dict[str, Any]], folder: str | None) -> None:
    """Objects edited by hand may lack what every rendered one has: that is no bug of ours."""
    try:
        facts_of(objects)
    except (KeyError, TypeError, AttributeError, ValueError):
        message = f"`{folder}` holds objects that kagent-render did not write as they are; build it again"
        raise click.UsageError(message) from None


def _print(old: list[dict[str, Any]], new: list[dict[str, Any]], format_: str) -> int:
    objects = changed_objects(old, new)
    click.echo(_FORMATS[format_](blast_radius(old, new), objects), nl=False)
    if not objects:
        say("nothing differs")
    return 1 if objects else 0


def _objects(compilation: Compilation) -> list[dict[str, Any]]:
    """The objects as their YAML reads back."""
    return [json.loads(json.dumps(item.data)) for item in compilation.objects]
