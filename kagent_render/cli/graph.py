"""`kagent-render graph`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from kagent_render.cli.output import report
from kagent_render.compiler import compile_paths
from kagent_render.views.graph_formats import FORMATS


def run(paths: Sequence[str], namespace: str | None, environment: str | None, format_: str) -> int:
    """Print the graph of the specs."""
    compilation = compile_paths(paths, namespace, environment)
    report(compilation, sys.stderr, None)
    if compilation.diagnostics.has_errors:
        return 1
    click.echo(FORMATS[format_](compilation.graph), nl=False)
    return 0
