"""The syntax of `response.path`: `a.b[0].c`, `items[*].name`, `["odd key"]`."""

from __future__ import annotations

import re

STEP = re.compile(
    r"(?:\.|^)(?P<field>[A-Za-z_$@][A-Za-z0-9_$@-]*)|\[(?P<index>[0-9]{1,6})\]|\[(?P<each>\*)\]|\[\"(?P<key>(?!\*\")[^\"\[\]]+)\"\]"
)


EACH = "*"


def steps(path: str) -> list[str | int] | None:
    """The steps of a path: a key, an index, or `*` for every item. None for a path that is not well-formed."""
    found: list[str | int] = []
    position = 0
    while position < len(path):
        match = STEP.match(path, position)
        if match is None or (position == 0 and path.startswith(".")):
            return None
        found.append(int(match["index"]) if match["index"] else match["field"] or match["key"] or EACH)
        position = match.end()
    return found or None
