"""What a change of the rendered objects means: who may do, reach, read or cost what they could not before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kagent_render.views import access, network
from kagent_render.views.facts import Facts, facts_of

TOPICS = (
    "permissions",
    "egress",
    "ingress",
    "authentication",
    "routes",
    "secrets",
    "store",
    "storage",
    "queue",
    "image",
    "scaling",
    "resources",
    "team",
    "description",
    "model",
    "tools",
    "handoffs",
    "limits",
    "answer",
    "context",
    "memory",
    "code",
    "prompt",
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One change: gained `+` (only `new`), lost `-` (only `old`), or `~` from `old` to `new`, about `what`."""

    topic: str
    sign: str
    what: str
    old: str | None = None
    new: str | None = None


@dataclass(frozen=True, slots=True)
class WorkloadChange:
    """What changes for one workload; `action` is `added`, `changed` or `removed`. No name: shared in a namespace."""

    namespace: str
    name: str
    kind: str
    action: str
    statements: tuple[Statement, ...]


def blast_radius(before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]) -> list[WorkloadChange]:
    """The changes of every workload that has any, sorted by namespace and name."""
    olds, news = facts_of(before), facts_of(after)
    changes = []
    for namespace, name in sorted({*olds, *news}):
        old, new = olds.get((namespace, name)), news.get((namespace, name))
        kind = (new or old or Facts("")).kind
        statements = tuple(_statements(old or Facts(kind), new or Facts(kind)))
        action = "added" if old is None else "removed" if new is None else "changed"
        if statements:
            changes.append(WorkloadChange(namespace, name, kind, action, statements))
    return changes


def _statements(old: Facts, new: Facts) -> Iterator[Statement]:
    for sign, one, other in (("+", new, old), ("-", old, new)):
        for what in access.in_words(one.permissions - other.permissions):
            yield Statement("permissions", sign, what)
    for topic in ("egress", "ingress"):
        olds, news = getattr(old, topic), getattr(new, topic)
        for sign, mine, theirs in (("+", news, olds), ("-", olds, news)):
            for what in network.in_words(network.not_covered(mine, theirs)):
                yield Statement(topic, sign, what)
    yield from sorted(_values(old, new), key=_order)


def _values(old: Facts, new: Facts) -> Iterator[Statement]:
    for topic, what in {*old.values, *new.values}:
        before, after = old.values.get((topic, what)), new.values.get((topic, what))
        if before != after:
            sign = "+" if before is None else "-" if after is None else "~"
            yield Statement(topic, sign, what, before, after)


def _order(statement: Statement) -> tuple[int, int, str]:
    return (TOPICS.index(statement.topic), "+-~".index(statement.sign), statement.what)
