"""`kagent-render schema`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from kagent_render.cli.output import say
from kagent_render.diagnostics import did_you_mean
from kagent_render.specs.registry import KINDS
from kagent_render.views.reference_page import reference_page
from kagent_render.views.spec_schema import schema_files, schema_of, schema_of_all


def run(kind: str | None, output: str | None, is_markdown: bool) -> int:
    """Print or write schemas. Raises UsageError for an unknown kind, OSError."""
    if is_markdown:
        click.echo(reference_page(), nl=False)
    elif output is not None:
        _write(Path(output))
    else:
        click.echo(json.dumps(schema_of(_known(kind)) if kind else schema_of_all(), indent=2))
    return 0


def write_tool_pages(folder: str) -> int:
    """Write a page for each tool type. Raises OSError."""
    from kagent_render.views.tool_pages import tool_pages

    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    for name, text in tool_pages().items():
        (target / name).write_text(text, encoding="utf-8", newline="\n")
        say(f"wrote {(target / name).as_posix()}")
    return 0


def _known(kind: str) -> str:
    by_fold = {name.lower(): name for name in KINDS}
    if kind.lower() not in by_fold:
        help = did_you_mean(kind, KINDS) or "kinds: " + ", ".join(KINDS)
        raise click.UsageError(f"`{kind}` is not a kind; {help}")
    return by_fold[kind.lower()]


def _write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in schema_files().items():
        (folder / name).write_text(json.dumps(schema, indent=2) + "\n", encoding="utf-8", newline="\n")
        say(f"wrote {(folder / name).as_posix()}")
