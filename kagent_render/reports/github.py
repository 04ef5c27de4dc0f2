"""GitHub Actions annotations. Source: docs.github.com, `workflow commands`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kagent_render.diagnostics import CODES, Diagnostic, Severity
from kagent_render.reports.text import SourceLines, printable

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(diagnostics: Sequence[Diagnostic], lines: SourceLines) -> Iterator[str]:
    """One command a diagnostic."""
    for item in diagnostics:
        fields = [f"title={_property(f'{item.code} {CODES[item.code].name}')}"]
        if item.span:
            fields = [
                f"file={_property(item.span.path)}",
                f"line={item.span.line}",
                f"col={item.span.column}",
                *fields,
            ]
        text = item.message + (f" ({item.help})" if item.help else "")
        yield f"::{_COMMANDS[item.severity]} {','.join(fields)}::{_data(printable(text))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
