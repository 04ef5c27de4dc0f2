"""`kagent-render import`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from kagent_render.diagnostics import Diagnostics
from kagent_render.kagent.convert import convert
from kagent_render.kagent.spec import Spec
from kagent_render.kagent.write import write
from kagent_render.reports.registry import FORMATS
from kagent_render.reports.text import SourceLines
from kagent_render.source import SourceFile, discover, read_documents


def run(paths: Sequence[str], output: str | None, is_partial: bool, format_: str | None) -> int:
    """Convert, report, and write. Exit 1 when a resource cannot be imported. Raises UsageError, OSError."""
    diagnostics = Diagnostics()
    files = _read(paths, diagnostics)
    specs = convert([document for file in files for document in read_documents(file, diagnostics)], diagnostics)
    found = diagnostics.in_order()
    chosen = format_ or ("full" if sys.stderr.isatty() else "concise")
    for line in FORMATS[chosen](found, SourceLines(files, found)):
        click.echo(line, err=True)
    if specs and (is_partial or not diagnostics.has_errors):
        _write(specs, output)
    return 1 if diagnostics.has_errors else 0


def _read(paths: Sequence[str], diagnostics: Diagnostics) -> list[SourceFile]:
    files = discover([path for path in paths if path != "-"], diagnostics)
    if "-" in paths:
        files.append(SourceFile("stdin", sys.stdin.read(), explicit=True))
    return files


def _write(specs: Sequence[Spec], output: str | None) -> None:
    if output is None:
        click.echo(write(specs), nl=False)
        return
    by_file: dict[str, list[Spec]] = {}
    for spec in specs:
        by_file.setdefault(f"{spec.resource.namespace or 'default'}-{spec.resource.name}.yaml", []).append(spec)
    folder = Path(output)
    taken = [name for name in sorted(by_file) if (folder / name).exists()]
    if taken:
        shown = (folder / taken[0]).as_posix()
        raise click.UsageError(f"{shown} exists, and nothing is overwritten; choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    for name, items in sorted(by_file.items()):
        (folder / name).write_text(write(items), encoding="utf-8", newline="\n")
        click.echo(f"created {(folder / name).as_posix()}", err=True)
