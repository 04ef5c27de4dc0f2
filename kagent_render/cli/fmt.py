"""`kagent-render fmt`."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from kagent_render.cli.output import say
from kagent_render.diagnostics import Diagnostics
from kagent_render.reports.registry import FORMATS
from kagent_render.reports.text import SourceLines
from kagent_render.source import discover
from kagent_render.source.formatting import FormatterMissingError, formatted


def run(paths: Sequence[str], check: bool) -> int:
    """Bring specs into their form, and name the files that were not. Exit 1 when there is one. Raises UsageError."""
    diagnostics = Diagnostics()
    files = discover([*paths, *_environments(paths)], diagnostics)
    try:
        texts = {file.path: (file.text, formatted(file, diagnostics)) for file in files}
    except FormatterMissingError:
        raise click.UsageError("fmt needs ruamel.yaml: pip install 'kagent-render[fmt]'") from None
    changed = {path: new for path, (old, new) in texts.items() if new is not None and new != old}
    for path, text in changed.items():
        if not check:
            _replace(Path(path), text)
        say(f"{'would be ' if check else ''}formatted {path}")
    found = diagnostics.in_order()
    for line in FORMATS["concise"](found, SourceLines(files, found)):
        print(line, file=sys.stderr)  # noqa: T201
    return 1 if changed or diagnostics.has_errors else 0


def _environments(paths: Sequence[str]) -> list[str]:
    """The overlays beside the specs, which are no specs on their own."""
    folders = (Path(path, "environments") for path in paths)
    return [entry.as_posix() for folder in folders if folder.is_dir() for entry in sorted(folder.iterdir())]


def _replace(path: Path, text: str) -> None:
    """In one step, with the mode it had. Raises OSError."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8", newline="\n") as file:
        file.write(text)
    os.chmod(file.name, path.stat().st_mode)
    os.replace(file.name, path)
