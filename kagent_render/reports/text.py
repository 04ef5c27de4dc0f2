"""Text that is safe to print: no control characters, no credentials."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from kagent_render.diagnostics import Diagnostic, Severity
from kagent_render.source import SourceFile

_CONTROL = re.compile("[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def printable(text: str) -> str:
    """Control and bidirectional characters as escapes: a name in a spec must not drive the terminal."""
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


class SourceLines:
    """Lines of the sources for quoting; none of a line on which a diagnostic saw a credential."""

    def __init__(self, files: Sequence[SourceFile], diagnostics: Iterable[Diagnostic]) -> None:
        self._lines = {file.path: file.text for file in files}
        self._withheld = {(d.span.path, d.span.line) for d in diagnostics if d.sensitive and d.span}

    def line(self, path: str, number: int) -> str | None:
        """The text of a line, or None when it may not or cannot be quoted."""
        if (path, number) in self._withheld or path not in self._lines:
            return None
        lines = self._lines[path].splitlines()
        return printable(lines[number - 1].replace("\t", " ")) if 0 < number <= len(lines) else None


def summary(diagnostics: Sequence[Diagnostic]) -> str:
    """`2 errors, 1 warning`."""
    counts = []
    for severity in Severity:
        number = sum(item.severity is severity for item in diagnostics)
        if number:
            counts.append(f"{number} {severity.label}{'s' if number > 1 else ''}")
    return ", ".join(counts)
