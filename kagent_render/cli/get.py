"""`kagent-render get`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import click

from kagent_render.cli.output import report, say
from kagent_render.compiler import compile_paths
from kagent_render.reports.text import printable
from kagent_render.views.inventory import records, table


def run(kind: str, paths: Sequence[str], namespace: str | None, environment: str | None, output: str) -> int:
    """Print every one of a kind, as a table or as JSON."""
    compilation = compile_paths(paths, namespace, environment)
    report(compilation, sys.stderr, None)
    if compilation.diagnostics.has_errors:
        return 1
    found = records(kind, compilation.graph, namespace)
    if output == "json":
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    elif found:
        click.echo("\n".join(_aligned([[printable(cell) for cell in row] for row in table(kind, found)])))
    else:
        say(f"no {kind}")
    return 0


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    cells = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows)
    return ["   ".join(row).rstrip() for row in cells]
