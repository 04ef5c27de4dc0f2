"""Where a cluster is not as the specs say: each object's state, the fields that differ, and who else wrote to it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kagent_render.views.object_diff import Identity, Object, ObjectChange, changed_objects, identity

# In the order in which a reader wants them.
_STATUS = {"added": "missing", "changed": "changed", "removed": "not rendered"}


@dataclass(frozen=True, slots=True)
class State:
    """One object: `in sync`, `changed`, `missing`, `not rendered`, or `unserved` (the cluster lacks its kind)."""

    status: str
    kind: str
    namespace: str
    name: str
    fields: tuple[str, ...] = ()
    writers: tuple[str, ...] = ()


def drift_of(
    before: Iterable[Object],
    after: Iterable[Object],
    writers: Mapping[Identity, Sequence[str]],
    unserved: Iterable[Object],
) -> list[State]:
    """The state of every object, sorted by namespace, kind and name."""
    old, new = list(before), list(after)
    changes = {(item.namespace, item.kind, item.name): item for item in changed_objects(old, new)}
    lacking = {identity(item) for item in unserved}
    return [
        _state(key, changes.get(key[:3]), writers.get(key, ()), key in lacking)
        for key in sorted({identity(item) for item in (*old, *new)})
    ]


def _state(key: Identity, change: ObjectChange | None, writers: Sequence[str], is_unserved: bool) -> State:
    namespace, kind, name, _ = key
    if is_unserved:
        return State("unserved", kind, namespace, name)
    if change is None:
        return State("in sync", kind, namespace, name)
    if change.action != "changed":
        return State(_STATUS[change.action], kind, namespace, name)
    return State("changed", kind, namespace, name, tuple(field.path for field in change.fields), tuple(writers))


def _text(states: Sequence[State]) -> str:
    apart = [state for state in states if state.status != "in sync"]
    rows = [["STATUS", "NAMESPACE", "OBJECT", "FIELDS", "WRITTEN BY"], *map(_row, apart)]
    return (_columns(rows) if apart else "") + _summary(states) + "\n"


def _columns(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "".join(f"{line}\n" for line in lines)


def _row(state: State) -> list[str]:
    return [
        state.status,
        state.namespace or "-",
        f"{state.kind}/{state.name}",
        ", ".join(state.fields) or "-",
        ", ".join(state.writers) or "-",
    ]


def _summary(states: Sequence[State]) -> str:
    numbers = Counter(state.status for state in states)
    return ", ".join(f"{numbers[status]} {status}" for status in sorted(numbers)) or "no objects"


def _markdown(states: Sequence[State]) -> str:
    return "".join(f"{line}\n" for line in _markdown_lines(states))


def _markdown_lines(states: Sequence[State]) -> Iterator[str]:
    yield f"### kagent-render: {_summary(states)}"
    apart = [state for state in states if state.status != "in sync"]
    if apart:
        yield from ("", "| status | namespace | object | fields | written by |", "|---|---|---|---|---|")
    for state in apart:
        cells = (f"`{cell.replace('|', chr(92) + '|').replace('`', '')}`" for cell in _row(state))
        yield f"| {' | '.join(cells)} |"


def _json(states: Sequence[State]) -> str:
    items = [
        {
            "status": state.status,
            "kind": state.kind,
            "namespace": state.namespace,
            "name": state.name,
            "fields": list(state.fields),
            "writtenBy": list(state.writers),
        }
        for state in states
    ]
    return json.dumps(items, indent=2, ensure_ascii=False) + "\n"


FORMATS: dict[str, Callable[[Sequence[State]], str]] = {"text": _text, "markdown": _markdown, "json": _json}
