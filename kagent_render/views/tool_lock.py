"""What MCP servers say now beside what is locked of them, tool by tool."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kagent_render.emit import emit
from kagent_render.reports.text import printable
from kagent_render.source.tool_lock import LockedTool
from kagent_render.views.words import text_diff

Entry = dict[str, Any]
_WORDS = {"description": "the description", "inputSchema": "the arguments", "annotations": "what it says of its effect"}


def entry_of(told: Mapping[str, Any]) -> Entry:
    """A tool as the lock has it: keys sorted, nothing that is empty."""
    entry: Entry = {"name": told["name"]}
    entry |= {"description": told["description"]} if told["description"] else {}
    entry["inputSchema"] = _sorted(told["inputSchema"])
    return entry | ({"annotations": _sorted(told["annotations"])} if told.get("annotations") else {})


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def _locked_entry(tool: LockedTool) -> Entry:
    told = {"name": tool.name, "description": tool.description, "inputSchema": tool.schema, "annotations": tool.hints}
    return entry_of(told)


def differences(key: str, locked: Mapping[str, LockedTool], told: Mapping[str, Entry]) -> Iterator[str]:
    """A line for each tool that is not as it was locked, and what changed in it as the lock shows it."""
    for name in sorted({*locked, *told}):
        title = printable(f"{key}: {name}")
        if name not in locked:
            yield f"{title} is not locked"
        elif name not in told:
            yield f"{title} is locked, and not offered any more"
        else:
            yield from _changed(title, _locked_entry(locked[name]), told[name])


def _changed(title: str, old: Entry, new: Entry) -> Iterator[str]:
    # As JSON: Python takes 1, 1.0 and true for the same.
    parts = [words for field, words in _WORDS.items() if _json(old.get(field)) != _json(new.get(field))]
    if parts:
        yield f"{title} changed: {', '.join(parts)}"
        yield from (f"    {line}" for line in text_diff(emit(old), emit(new)))


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
