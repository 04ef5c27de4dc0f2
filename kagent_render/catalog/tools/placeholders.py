"""Templates of the `http` tool: `{name}` stands for an argument, `{{name}}` for the text `{name}`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

# Anything else in braces is text, so that a JSON or GraphQL body needs no escapes.
PLACEHOLDER = re.compile(r"\{\{[A-Za-z_][A-Za-z0-9_-]*\}\}|\{([A-Za-z_][A-Za-z0-9_-]*)\}")
Location = tuple[int | str, ...]


def names(template: str) -> list[str]:
    """The arguments that a template uses."""
    return [match[1] for match in PLACEHOLDER.finditer(template) if match[1]]


def is_whole(template: str) -> bool:
    """Whether the template is one placeholder and nothing else: then it may be left out, and keeps its type."""
    match = PLACEHOLDER.fullmatch(template)
    return match is not None and match[1] is not None


def templates_in(value: Any, location: Location) -> Iterator[tuple[Location, str]]:
    """Every text in a JSON template, with its place."""
    if isinstance(value, str):
        yield location, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from templates_in(item, (*location, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from templates_in(item, (*location, index))
