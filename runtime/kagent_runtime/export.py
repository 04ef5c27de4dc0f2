"""A conversation as a document to keep or to pass on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from kagent_runtime.store import Event, SessionRow

_TICKS = re.compile("`+")


def markdown(row: SessionRow, events: Iterable[Event], agent: str) -> str:
    """The conversation as Markdown: what was said as it is, what was called in fences."""
    head = f"# {_line(row.title)}\n\nConversation with {agent}, from {row.created_at} to {row.updated_at}."
    return "\n\n".join([head, *(part for event in events for part in _parts(event))]) + "\n"


def _parts(event: Event) -> Iterator[str]:
    match event["type"]:
        case "message.user" | "message":
            yield from (f"## {event.get('agent', 'User')}\n\n*{event['at']}*", event["content"])
        case "tool.call" | "tool.result":
            yield from _tool(event)
        case "approval.decided":
            reason = f": {_line(event['reason'])}" if event["reason"] else ""
            yield f"Approval of `{event['name']}`: {event['decision']}, by {event['by']}{reason}"
        case "handoff":
            yield f"**{event['agent']}** hands over to **{event['target']}**."
        case "notice":
            yield f"*{_line(event['content'])}*"
        case "run.finished":
            yield from _end(event)


def _tool(event: Event) -> Iterator[str]:
    if event["type"] == "tool.result":
        failed = " failed" if event["isError"] else ""
        yield from (f"`{event['name']}`{failed}:", _fenced(event["content"]))
        return
    arguments = event["arguments"]
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False, indent=2)
    yield from (f"**{event['agent']}** calls `{event['name']}`:", _fenced(text, "json"))


def _end(event: Event) -> Iterator[str]:
    if event["outcome"] != "completed":
        error = event["error"]
        reason = f"{error['title']}: {error['detail']}" if error else event["stopReason"]
        yield f"*The turn {event['outcome']}: {_line(str(reason))}*"


def _fenced(text: str, language: str = "") -> str:
    """In a fence that the text cannot close. Source: CommonMark, "Fenced code blocks"."""
    fence = "`" * max(3, *(len(run) + 1 for run in _TICKS.findall(text)), 0)
    return f"{fence}{language}\n{text}\n{fence}"


def _line(text: str) -> str:
    return " ".join(text.split())
