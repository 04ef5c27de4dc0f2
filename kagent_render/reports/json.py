"""For machines: a JSON array, a superset of kyaml's function Result."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from kagent_render.diagnostics import CODES, Diagnostic, Span
from kagent_render.reports.text import SourceLines


def render(diagnostics: Sequence[Diagnostic], lines: SourceLines) -> Iterator[str]:
    """One JSON text."""
    yield json.dumps([_record(item) for item in diagnostics], indent=2, ensure_ascii=False)


def _record(item: Diagnostic) -> dict[str, Any]:
    return {
        "code": item.code,
        "name": CODES[item.code].name,
        "severity": item.severity.label,
        "message": item.message,
        "file": _place(item.span),
        "labels": [{"message": label.message, "file": _place(label.span)} for label in item.labels],
        "help": item.help,
    }


def _place(span: Span | None) -> dict[str, Any] | None:
    if span is None:
        return None
    return {"path": span.path, "line": span.line, "column": span.column, "endColumn": span.end_column}
