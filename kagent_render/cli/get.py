"""`kagent-render get`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import click

from kagent_render.cli.live_status import LiveStatus, in_words
from kagent_render.cli.output import report, say
from kagent_render.compiler import Compilation, compile_paths
from kagent_render.reports.text import printable
from kagent_render.views.inventory import records, table
from kagent_render.views.live_status import Status


def run(
    kind: str,
    paths: Sequence[str],
    namespace: str | None,
    environment: str | None,
    output: str,
    live: bool,
    context: str | None,
) -> int:
    """Print every one of a kind, as a table or as JSON."""
    compilation = compile_paths(paths, namespace, environment)
    report(compilation, sys.stderr, None)
    if compilation.diagnostics.has_errors:
        return 1
    found = records(kind, compilation.graph, namespace)
    statuses = _statuses(kind, compilation, context) if live else []
    if live:
        found = [
            record | {"status": [one.record() for one in each]} for record, each in zip(found, statuses, strict=True)
        ]
    if output == "json":
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    elif found:
        rows = table(kind, found)
        if live:
            cells = ["STATUS", *map(in_words, statuses)]
            rows = [[*row, cell] for row, cell in zip(rows, cells, strict=True)]
        click.echo("\n".join(_aligned([[printable(cell) for cell in row] for row in rows])))
    else:
        say(f"no {kind}")
    return 0


def _statuses(kind: str, compilation: Compilation, context: str | None) -> list[list[Status]]:
    live = LiveStatus(compilation, context)
    graph = compilation.graph
    return [live.of(node) for node in (graph.agents if kind == "agents" else graph.teams)]


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    cells = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows)
    return ["   ".join(row).rstrip() for row in cells]
