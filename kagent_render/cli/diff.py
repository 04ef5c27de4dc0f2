"""`kagent-render diff`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from kagent_render.cli import before
from kagent_render.cli.kubectl import Kubectl
from kagent_render.cli.live import change
from kagent_render.cli.output import report, say
from kagent_render.compiler import Compilation, compile_paths
from kagent_render.views import markdown, text
from kagent_render.views.blast_radius import WorkloadChange, blast_radius
from kagent_render.views.facts import facts_of
from kagent_render.views.object_diff import ObjectChange, changed_objects

_FORMATS = {"text": text.render, "markdown": markdown.render}


def run(
    paths: Sequence[str],
    namespace: str | None,
    environment: str | None,
    output: str | None,
    revision: str | None,
    format_: str,
    live: bool,
    context: str | None,
    manager: str | None,
    templates: str | None = None,
) -> int:
    """Print what differs from a folder, a revision or a cluster. Exit 0 when nothing does, 1 when something does."""
    compilation = compile_paths(paths, namespace, environment, templates=templates)
    report(compilation, sys.stderr, None)
    if compilation.diagnostics.has_errors:
        return 1
    if live:
        return _print_live(_objects(compilation), Kubectl(context), manager, format_)
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


def run_environments(
    paths: Sequence[str], namespace: str | None, environments: tuple[str, str], format_: str, templates: str | None
) -> int:
    """Print how the second environment differs from the first. Exit codes as of `run`."""
    compiled = [compile_paths(paths, namespace, environment, templates=templates) for environment in environments]
    for compilation in compiled:
        report(compilation, sys.stderr, None)
    if any(compilation.diagnostics.has_errors for compilation in compiled):
        return 1
    names = [namespace or compilation.graph.platform.namespace for compilation in compiled]
    old, new = map(_objects, compiled)
    if names[0] and names[1] and names[0] != names[1]:
        say(f"namespace {names[0]} of {environments[0]} is compared with {names[1]} of {environments[1]}")
        old = [_moved(item, names[0], names[1]) for item in old]
    return _print(old, new, format_)


def _moved(item: dict[str, Any], namespace: str, target: str) -> dict[str, Any]:
    """The object as if it were in another namespace; where it only speaks of one, that stays a difference."""
    if item["metadata"].get("namespace") == namespace:
        item["metadata"]["namespace"] = target
    for subject in item.get("subjects") or ():
        if subject.get("namespace") == namespace:
            subject["namespace"] = target
    return item


def _check_readable(objects: list[dict[str, Any]], folder: str | None) -> None:
    """Objects edited by hand may lack what every rendered one has: that is no bug of ours."""
    try:
        facts_of(objects)
    except (KeyError, TypeError, AttributeError, ValueError):
        message = f"`{folder}` holds objects that kagent-render did not write as they are; build it again"
        raise click.UsageError(message) from None


def _print_live(rendered: list[dict[str, Any]], kubectl: Kubectl, manager: str | None, format_: str) -> int:
    """The difference that an apply would make, with what nothing renders any more as removed."""
    found = change(rendered, kubectl, manager)
    for item in found.unserved:
        say(f"the cluster has no kind {item['kind']} of {item['apiVersion']}: is its controller installed?")
    try:
        meaning = blast_radius(found.before, found.after)
    except (KeyError, TypeError, AttributeError, ValueError):
        say("the cluster holds objects of ours that were changed by hand: only the fields are compared")
        meaning = []
    return _show(meaning, changed_objects(found.before, found.after), format_)


def _print(old: list[dict[str, Any]], new: list[dict[str, Any]], format_: str) -> int:
    return _show(blast_radius(old, new), changed_objects(old, new), format_)


def _show(meaning: list[WorkloadChange], objects: list[ObjectChange], format_: str) -> int:
    click.echo(_FORMATS[format_](meaning, objects), nl=False)
    if not objects:
        say("nothing differs")
    return 1 if objects else 0


def _objects(compilation: Compilation) -> list[dict[str, Any]]:
    """The objects as their YAML reads back."""
    return [json.loads(json.dumps(item.data)) for item in compilation.objects]
