"""JSON that a person reads in a diff: what fits on a line stands on one line."""

from __future__ import annotations

import json
from typing import Any

WIDTH = 110
_encode_raw = json.JSONEncoder(ensure_ascii=False).encode
_encode_ascii = json.JSONEncoder(ensure_ascii=True).encode


def _encode(value: Any) -> str:
    text = _encode_raw(value)
    if text.isprintable():
        return text
    # A character that does not print would force the whole text out of its YAML block, and hides from a reviewer.
    return "".join(char if char.isprintable() else _encode_ascii(char)[1:-1] for char in text)


def pretty(value: Any, depth: int = 0) -> str:
    """JSON text without a final line end; objects and lists break only when they do not fit."""
    if not isinstance(value, (dict, list)) or not value:
        return _encode(value)
    if isinstance(value, dict):
        items = [f"{_encode(key)}: {pretty(item, depth + 1)}" for key, item in value.items()]
    else:
        items = [pretty(item, depth + 1) for item in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    # Each item stands after one comma or bracket and one space or bracket, but for the first.
    width = 2 * depth + sum(map(len, items)) + 2 * len(items)
    # An item that did not fit its own line does not fit this one, which is longer.
    if width <= WIDTH and not any("\n" in item for item in items):
        return opening + ", ".join(items) + closing
    margin = "\n" + "  " * (depth + 1)
    return opening + margin + ("," + margin).join(items) + "\n" + "  " * depth + closing
