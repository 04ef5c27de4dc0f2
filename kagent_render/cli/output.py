"""Printing diagnostics in the form asked for."""

from __future__ import annotations

import sys
from typing import TextIO

from kagent_render.compiler import Compilation
from kagent_render.reports.registry import FORMATS
from kagent_render.reports.text import SourceLines


def report(compilation: Compilation, stream: TextIO, format_: str | None) -> None:
    """Print the diagnostics: `full` on a terminal, `concise` elsewhere, unless a format is asked for."""
    found = compilation.diagnostics.in_order()
    chosen = format_ or ("full" if stream.isatty() else "concise")
    for line in FORMATS[chosen](found, SourceLines(compilation.files, found)):
        print(line, file=stream)


def say(text: str) -> None:
    """A line for people, on stderr: stdout is for manifests."""
    print(text, file=sys.stderr)  # noqa: T201
