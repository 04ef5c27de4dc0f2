"""For people: the message, the line with a caret under the place, labels and help."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kagent_render.diagnostics import Diagnostic, Span
from kagent_render.reports.text import SourceLines, printable, summary


def render(diagnostics: Sequence[Diagnostic], lines: SourceLines) -> Iterator[str]:
    """The lines of the report, with a summary at the end."""
    for item in diagnostics:
        place = f"{item.span}: " if item.span else ""
        yield printable(f"{place}{item.severity.label}[{item.code}] {item.message}")
        gutter = max(
            [len(str(span.line)) for span in (item.span, *(label.span for label in item.labels)) if span],
            default=1,
        )
        if item.span:
            yield from _snippet(item.span, "", lines, gutter)
        for label in item.labels:
            yield printable(f"{' ' * gutter} = {label.message}: {label.span}")
        if item.help:
            yield printable(f"{' ' * gutter} = help: {item.help}")
        yield ""
    if diagnostics:
        yield f"{summary(diagnostics)}; `kagent-render explain CODE` says more"


def _snippet(span: Span, message: str, lines: SourceLines, gutter: int) -> Iterator[str]:
    text = lines.line(span.path, span.line)
    if text is None:
        return
    width = max(1, min(span.end_column, len(text) + 1) - span.column)
    yield f"{' ' * gutter} |"
    yield f"{span.line:>{gutter}} | {text}"
    yield f"{' ' * gutter} | {' ' * (span.column - 1)}{'^' * width}{message}"
