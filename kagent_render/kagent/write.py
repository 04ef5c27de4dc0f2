"""Specs to text, with the comments that stood at the fields they came from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kagent_render.emit import emit, scalar
from kagent_render.kagent.fields import Location
from kagent_render.kagent.spec import Spec
from kagent_render.source import Document
from kagent_render.specs.secrets import has_secret


@dataclass(frozen=True, slots=True)
class Comments:
    """The comment lines above a field, and the one behind it."""

    above: tuple[str, ...]
    behind: str


def write(specs: Sequence[Spec]) -> str:
    """All documents of one file."""
    return "---\n".join(_document(spec) for spec in specs)


def _document(spec: Spec) -> str:
    source = spec.resource.document
    found = {target: _comments_at(source, place) for target, place in spec.sources.items()}
    found = {target: comments for target, comments in found.items() if comments.above or comments.behind}
    lines = [f"{line}\n" for line in _above(source.file.text.splitlines(), source.root.line)]
    if spec.name != spec.resource.name:
        lines = []  # a part of the resource: its comments are at the resource itself
    return "".join(lines) + _mapping(spec.document(), (), "", found)


def _mapping(value: Mapping[str, Any], path: Location, indent: str, comments: Mapping[Location, Comments]) -> str:
    out = []
    for key, item in value.items():
        place = (*path, key)
        own = comments.get(place, Comments((), ""))
        out += [f"{indent}{line}\n" for line in own.above]
        if isinstance(item, dict) and any(p[: len(place)] == place and p != place for p in comments):
            out.append(f"{indent}{scalar(key)}:{own.behind}\n")
            out.append(_mapping(item, place, indent + "  ", comments))
        else:
            first, *rest = emit({key: item}).splitlines()
            out.append(f"{indent}{first}{own.behind}\n")
            out += [f"{indent}{line}\n" if line else "\n" for line in rest]
    return "".join(out)


def _comments_at(document: Document, location: Location) -> Comments:
    lines = document.file.text.splitlines()
    number = document.key_span_of(location).line - 1
    value = document.span_of(location)
    behind = re.search(r"\s+#.*$", lines[value.line - 1][(value.end_column or value.column) - 1 :])
    is_one_line = value.line - 1 == number
    shown = behind[0].strip() if behind and is_one_line and not has_secret(behind[0]) else ""
    return Comments(tuple(_above(lines, number)), f"  {shown}" if shown else "")


def _above(lines: Sequence[str], number: int) -> list[str]:
    """The comment lines right above a line, without their margin."""
    found: list[str] = []
    for line in reversed(lines[:number]):
        if not line.lstrip().startswith("#"):
            break
        if not has_secret(line):
            found.insert(0, line.strip())
    return found
