"""What a diagnostic is: frozen data. Rendering lives in `kagent_render.reports`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    """How bad it is; the order is the order of a report."""

    ERROR = 0
    WARNING = 1
    INFO = 2

    @property
    def label(self) -> str:
        """The word a person reads."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a source file: 1-based line and column; `end_column` is exclusive, on the same line."""

    path: str
    line: int
    column: int
    end_column: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Label:
    """Another place that matters to the same diagnostic, such as a first definition."""

    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One defect: what, where, and the smallest edit that mends it.

    `message` is one line in lower case without a full stop. `sensitive` says that the source line may hold
    a credential, so no report may quote it.
    """

    code: str
    severity: Severity
    message: str
    span: Span | None
    labels: tuple[Label, ...] = ()
    help: str | None = None
    sensitive: bool = False

    @property
    def sort_key(self) -> tuple[str, int, int, int, str, str]:
        """The total order of a report: place, then severity, code and text."""
        span = self.span or Span("", 0, 0)
        return (span.path, span.line, span.column, int(self.severity), self.code, self.message)
