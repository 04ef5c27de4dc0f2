"""`kagent-render drift`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from kagent_render.cli.kubectl import Kubectl
from kagent_render.cli.live import change
from kagent_render.cli.output import report
from kagent_render.compiler import compile_paths
from kagent_render.views.drift import FORMATS, drift_of

EX_UNKNOWN = 2


def run(
    paths: Sequence[str],
    namespace: str | None,
    environment: str | None,
    context: str | None,
    manager: str | None,
    format_: str,
    templates: str | None,
) -> int:
    """Print the report. Exit 0 when the cluster is as the specs say, 1 when not, 2 when the specs have errors."""
    compilation = compile_paths(paths, namespace, environment, templates=templates)
    report(compilation, sys.stderr, None)
    if compilation.diagnostics.has_errors:
        return EX_UNKNOWN
    found = change([item.data for item in compilation.objects], Kubectl(context), manager)
    states = drift_of(found.before, found.after, found.others, found.unserved)
    click.echo(FORMATS[format_](states), nl=False)
    return 1 if any(state.status != "in sync" for state in states) else 0
