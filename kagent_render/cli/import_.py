"""`kagent-render import`: kagent's own resources, or the operations of an OpenAPI document."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from kagent_render.diagnostics import Diagnostics
from kagent_render.kagent.convert import convert
from kagent_render.kagent.spec import Spec
from kagent_render.kagent.write import write
from kagent_render.openapi import convert as openapi
from kagent_render.openapi.draft import Options
from kagent_render.openapi.reading import load, parse
from kagent_render.openapi.servers import defect_of
from kagent_render.reports.registry import FORMATS
from kagent_render.reports.text import SourceLines
from kagent_render.source import SourceFile, discover, read_documents


def run(paths: Sequence[str], output: str | None, is_partial: bool, format_: str | None) -> int:
    """Convert, report, and write. Exit 1 when a resource cannot be imported. Raises UsageError, OSError."""
    diagnostics = Diagnostics()
    files = _read(paths, diagnostics)
    specs = convert([document for file in files for document in read_documents(file, diagnostics)], diagnostics)
    by_file: dict[str, list[Spec]] = {}
    for spec in specs:
        by_file.setdefault(f"{spec.resource.namespace or 'default'}-{spec.resource.name}.yaml", []).append(spec)
    texts = {name: write(items) for name, items in by_file.items()}
    return _end(files, diagnostics, write(specs) if output is None else texts, output, is_partial, format_)


def run_openapi(path: str, options: Options, output: str | None, is_partial: bool, format_: str | None) -> int:
    """The same of one OpenAPI document. Exit 1 when an operation cannot be imported. Raises UsageError, OSError."""
    problem = defect_of(options.base_url) if options.base_url is not None else None
    if problem:
        raise click.UsageError(f"--base-url: {problem}")
    diagnostics = Diagnostics()
    file = SourceFile("stdin", sys.stdin.read(), explicit=True) if path == "-" else load(path, diagnostics)
    document = parse(file, diagnostics) if file else None
    tools = openapi.convert(document, options, diagnostics) if document else []
    texts = {f"{tool.name}.yaml": tool.text for tool in tools}
    written = "---\n".join(texts.values()) if output is None else texts
    return _end([file] if file else [], diagnostics, written, output, is_partial, format_)


def _end(
    files: Sequence[SourceFile],
    diagnostics: Diagnostics,
    written: str | Mapping[str, str],
    output: str | None,
    is_partial: bool,
    format_: str | None,
) -> int:
    found = diagnostics.in_order()
    chosen = format_ or ("full" if sys.stderr.isatty() else "concise")
    for line in FORMATS[chosen](found, SourceLines(files, found)):
        click.echo(line, err=True)
    if written and (is_partial or not diagnostics.has_errors):
        _write(written, output)
    return 1 if diagnostics.has_errors else 0


def _read(paths: Sequence[str], diagnostics: Diagnostics) -> list[SourceFile]:
    files = discover([path for path in paths if path != "-"], diagnostics)
    if "-" in paths:
        files.append(SourceFile("stdin", sys.stdin.read(), explicit=True))
    return files


def _write(written: str | Mapping[str, str], output: str | None) -> None:
    if isinstance(written, str) or output is None:
        click.echo(written, nl=False)
        return
    folder = Path(output)
    taken = [name for name in sorted(written) if (folder / name).exists()]
    if taken:
        shown = (folder / taken[0]).as_posix()
        raise click.UsageError(f"{shown} exists, and nothing is overwritten; choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in sorted(written.items()):
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
        click.echo(f"created {(folder / name).as_posix()}", err=True)
