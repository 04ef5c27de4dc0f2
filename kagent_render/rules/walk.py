"""How rules look at an object that its schema has found well-formed, and say what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from kagent_render.rules.grammar import Grammar, percent, shown
from kagent_render.schemas import Defect
from kagent_render.schemas.validator import Path

JSON = Mapping[str, Any]
Found = Iterator[Defect]
Rule = Callable[[JSON, Path], Found]


def part(item: JSON, *keys: str) -> JSON:
    """The object below the keys; an empty one where there is none, as Go's validation sees it."""
    for key in keys:
        item = item.get(key) or {}
    return item


def each(item: JSON, key: str, path: Path) -> Iterator[tuple[JSON, Path]]:
    """The objects of a list and their paths. A null among them is an empty one."""
    for index, value in enumerate(item.get(key) or ()):
        yield value or {}, (*path, key, index)


def texts(item: JSON, key: str, path: Path) -> Iterator[tuple[str, Path]]:
    """The texts of a list and their paths. A null among them is an empty one."""
    for index, value in enumerate(item.get(key) or ()):
        yield value or "", (*path, key, index)


def follows(item: JSON, key: str, grammar: Grammar, path: Path) -> Found:
    """A text that may be absent or empty, and else has to follow a grammar."""
    message = grammar(item[key]) if item.get(key) else None
    if message:
        yield Defect((*path, key), message)


def required(item: JSON, key: str, path: Path, grammar: Grammar | None = None) -> Found:
    """A field that may be neither absent nor empty, and follows a grammar if one is given."""
    if item.get(key) in (None, "", [], {}):
        yield Defect((*path, key), "is missing")
    elif grammar is not None:
        yield from follows(item, key, grammar, path)


def one_of(item: JSON, key: str, values: Sequence[str], path: Path, *, is_required: bool = False) -> Found:
    """A field with one of the values. An absent or empty one has a default, unless it is required."""
    value = item.get(key)
    if value not in values and (value or is_required):
        yield Defect((*path, key), not_one_of(value, values))


def not_one_of(value: object, values: Iterable[str]) -> str:
    """The message for a value that is not one of those known."""
    return f"{shown('' if value is None else value)} is not accepted; one of {', '.join(values)}"


def not_below(item: JSON, key: str, least: int, path: Path) -> Found:
    """A number that may be absent."""
    value = item.get(key)
    if value is not None and value < least:
        yield Defect((*path, key), f"{shown(value)} is less than {least}")


def between(item: JSON, key: str, least: int, most: int, path: Path) -> Found:
    """A number that may be absent."""
    value = item.get(key)
    if value is not None and not least <= value <= most:
        yield Defect((*path, key), f"{shown(value)} is not from {least} to {most}")


def unique(item: JSON, key: str, field: str, path: Path) -> Found:
    """No two objects of a list have the same value of a field; objects without it do not count."""
    seen: set[Any] = set()
    for value, place in each(item, key, path):
        name = value.get(field)
        if name in seen:
            yield Defect((*place, field), f"{shown(name)} is there twice")
        if name:
            seen.add(name)


def exactly_one(item: JSON, keys: Sequence[str], path: Path, what: str) -> Found:
    """One of the fields is there, and no second."""
    there = [key for key in keys if item.get(key) is not None]
    if not there:
        yield Defect(path, f"has no {what}: one of {', '.join(keys[:4])}{', …' if len(keys) > 4 else ''}")
    for key in there[1:]:
        yield Defect((*path, key), f"is a second {what} beside `{there[0]}`")


def int_or_percent(item: JSON, key: str, path: Path) -> Found:
    """A number that is not negative, or a percentage up to 100: ValidatePositiveIntOrPercent."""
    value = item.get(key)
    if isinstance(value, str):
        message = percent(value)
        if message:
            yield Defect((*path, key), message)
    elif value is not None and not 0 <= value < 1 << 31:
        yield Defect((*path, key), f"{shown(value)} is less than 0, or not an int32")
