"""The append-only collector every stage is handed. It never prints."""

from __future__ import annotations

from collections.abc import Iterable

from kagent_render.diagnostics.codes import CODES
from kagent_render.diagnostics.model import Diagnostic, Label, Severity, Span


class Diagnostics:
    """Collects diagnostics; `in_order()` gives them sorted and without repeats."""

    def __init__(self) -> None:
        self._items: list[Diagnostic] = []

    def add(
        self,
        code: str,
        message: str,
        span: Span | None,
        *,
        labels: Iterable[Label] = (),
        help: str | None = None,
        sensitive: bool = False,
    ) -> None:
        """Record one defect. Raises KeyError for a code that is not in the registry (a bug of ours)."""
        severity = CODES[code].severity
        self._items.append(Diagnostic(code, severity, message, span, tuple(labels), help, sensitive))

    @property
    def has_errors(self) -> bool:
        """Whether anything recorded forbids output."""
        return self.error_count > 0

    @property
    def error_count(self) -> int:
        """How many errors were recorded so far: lets a stage see whether it added one."""
        return sum(item.severity is Severity.ERROR for item in self._items)

    def in_order(self) -> list[Diagnostic]:
        """All diagnostics in the order of a report, each once."""
        return sorted(set(self._items), key=lambda item: item.sort_key)
