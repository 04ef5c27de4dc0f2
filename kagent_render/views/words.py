"""Statements and values as the words and lines that both texts, plain and Markdown, are made of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from kagent_render.reports.text import printable
from kagent_render.views.blast_radius import TOPICS, Statement, WorkloadChange
from kagent_render.views.object_diff import ABSENT, FieldChange, ObjectChange

MAX_VALUE = 120
MAX_LINES = 40
_GAINED_LOST = {
    "permissions": ("may {what}", "may no longer {what}"),
    "egress": ("may call {what}", "may no longer call {what}"),
    "ingress": ("may be called by {what}", "may no longer be called by {what}"),
    "routes": ("is reachable at {what}", "is no longer reachable at {what}"),
    "secrets": ("reads {what}", "no longer reads {what}"),
    "store": ("fetches {what} from {value}", "no longer fetches {what}"),
    "storage": ("keeps conversations on {what}: {value}", "no longer keeps conversations on {what}"),
    "queue": ("takes tasks from {value}", "no longer takes tasks from a queue"),
    "answer": ("{what} answers with {value}", "{what} answers with text"),
    "context": ("the model of {what} sees {value}", "the model of {what} sees the whole conversation"),
    "memory": ("{what}", "no longer: {what}"),
    "tools": ("{first} may use the tool {second}: {value}", "{first} may no longer use the tool {second}"),
    "handoffs": ("{first} may hand over to {second}", "{first} may no longer hand over to {second}"),
    "code": ("code of {what}:", "code of {what} is gone"),
    "prompt": ("prompt of {what}:", "prompt of {what} is gone"),
}
_LABELS = {
    "model": "model of {what}",
    "authentication": "{what} show",
    "description": "description of {what}",
    "answer": "answer of {what}",
    "queue": "queue of {what}",
    "context": "the model of {what} sees",
}
_TEXTS = ("code", "prompt")  # which are compared line by line


def title(change: WorkloadChange) -> str:
    """`ai-agents/k8s-troubleshooter (Agent)`, with `added` or `removed` when it is."""
    place = "/".join(part for part in (change.namespace, change.name) if part)
    if not change.name:
        return f"shared in namespace {change.namespace}" if change.namespace else "shared"
    return f"{place} ({change.kind}{'' if change.action == 'changed' else f', {change.action}'})"


def told(change: WorkloadChange) -> Iterator[Statement]:
    """The statements worth telling: not how a workload looked that has gone, nor the small print of a new one."""
    skipped = {
        "changed": (),
        "added": ("description", "limits"),
        "removed": ("authentication", *TOPICS[TOPICS.index("image") :]),
    }
    return (item for item in change.statements if item.topic not in skipped[change.action])


def lines_of(statement: Statement) -> Iterator[str]:
    """The statement's lines: its sentence after the sign, then the changed lines of a text."""
    yield f"{statement.sign} {printable(_sentence(statement))}"
    if statement.topic in _TEXTS and statement.new is not None:
        for line in text_diff(statement.old or "", statement.new):
            yield f"    {line}"


def _sentence(statement: Statement) -> str:
    first, _, second = statement.what.rpartition(" ")
    phrases = _GAINED_LOST.get(statement.topic)
    if phrases and statement.sign != "~":
        template = phrases["+-".index(statement.sign)]
        return template.format(what=statement.what, first=first, second=second, value=statement.new)
    if statement.topic in _TEXTS:
        return f"{statement.topic} of {statement.what}:"
    label = _LABELS.get(statement.topic, "{what}").format(what=statement.what)
    if statement.topic == "tools":
        label = f"{first} uses the tool {second}"
    elif statement.topic == "store":
        label = f"fetches {statement.what} from"
    values = [value for value in (statement.old, statement.new) if value is not None]
    return f"{label}: {' → '.join(values)}"


def text_diff(old: str, new: str) -> list[str]:
    """The lines that differ, with their sign and one line around them; at most MAX_LINES."""
    from difflib import unified_diff  # only a changed text needs it

    found = list(unified_diff(old.splitlines(), new.splitlines(), n=1, lineterm=""))[2:]
    shown = [printable(line) for line in found if not line.startswith("@@")]
    if not found:
        return ["(only the end of the text differs)"]
    return shown if len(shown) <= MAX_LINES else [*shown[:MAX_LINES], f"… {len(shown) - MAX_LINES} more lines"]


def object_title(change: ObjectChange) -> str:
    """`changed Deployment ai-agents/k8s-troubleshooter (rolls the pods)`."""
    place = "/".join(part for part in (change.namespace, change.name) if part)
    return f"{change.action} {change.kind} {place}{' (rolls the pods)' if change.rolls_pods else ''}"


def field_lines(field: FieldChange) -> list[str]:
    """A changed field: one line, or a small diff of a text of several lines, or of a long one."""
    texts = [text for text in (field.old, field.new) if isinstance(text, str)]
    if len(texts) == 2 and any("\n" in text or len(text) > MAX_VALUE for text in texts):
        return [f"~ {printable(field.path)}:", *(f"    {line}" for line in text_diff(field.old, field.new))]
    if field.old is ABSENT:
        return [f"+ {printable(field.path)}: {value(field.new)}"]
    if field.new is ABSENT:
        return [f"- {printable(field.path)}: {value(field.old)}"]
    return [f"~ {printable(field.path)}: {value(field.old)} → {value(field.new)}"]


def value(data: Any) -> str:
    """A value on one line, shortened."""
    text = data if isinstance(data, str) and data else json.dumps(data, sort_keys=True, ensure_ascii=False)
    text = printable(text.replace("\n", "⏎"))
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}… ({len(text)} characters)"


def count(objects: list[ObjectChange]) -> str:
    """`1 object added, 2 changed`."""
    parts: list[str] = []
    for action in ("added", "changed", "removed"):
        if number := sum(item.action == action for item in objects):
            noun = "" if parts else " object" if number == 1 else " objects"
            parts.append(f"{number}{noun} {action}")
    return ", ".join(parts)
