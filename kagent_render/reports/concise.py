"""One line a diagnostic: `path:line:col: error[KR201] message (help)`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kagent_render.diagnostics import Diagnostic
from kagent_render.reports.text import SourceLines, printable


def render(diagnostics: Sequence[Diagnostic], lines: SourceLines) -> Iterator[str]:
    """The lines of the report."""
    for item in diagnostics:
        place = f"{item.span}: " if item.span else ""
        help = f" ({item.help})" if item.help else ""
        yield printable(f"{place}{item.severity.label}[{item.code}] {item.message}{help}")
