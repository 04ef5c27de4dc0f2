"""What a docstring says of the arguments: the section `Args:` of Google's style guide for Python, 3.8.3."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_SECTION = re.compile(r"(Args|Arguments|Parameters):\Z")
_ENTRY = re.compile(r"\*{0,2}(\w+)\s*(?:\(.*?\))?:(?:\s+(.*)|\Z)")


def descriptions(docstring: str) -> dict[str, str]:
    """The description of every argument that has an entry, in one line. The docstring is without its indentation."""
    lines = docstring.expandtabs().splitlines()
    for number, line in enumerate(lines):
        if _SECTION.match(line.strip()):
            return _entries(list(_section(lines[number + 1 :], _depth(line))))
    return {}


def _section(lines: Sequence[str], depth: int) -> Iterator[str]:
    """The lines below a heading, until one that is not indented under it."""
    for line in lines:
        if line.strip():
            if _depth(line) <= depth:
                return
            yield line


def _entries(lines: Sequence[str]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    depth = _depth(lines[0]) if lines else 0
    current: list[str] = []
    for line in lines:
        match = _ENTRY.match(line.strip()) if _depth(line) <= depth else None
        if match:
            current = found.setdefault(match[1], [])
        current.append((match[2] or "") if match else line.strip())
    texts = {name: " ".join(" ".join(parts).split()) for name, parts in found.items()}
    return {name: text for name, text in texts.items() if text}


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
