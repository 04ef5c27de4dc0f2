"""The README's table of features: every row is shown by something; and every field of the language is used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kagent_render.cli.parser import cli
from kagent_render.specs.registry import KINDS
from kagent_render.views.spec_reference import Field, Model, fields_of, find
from tests.harness import CASES, EXAMPLES, ROOT

_SECTION = (ROOT / "README.md").read_text().partition("## Every feature")[2].partition("\n## ")[0]
_LINES = [line for line in _SECTION.splitlines() if line.startswith("| ") and not line.startswith("| **")]
ROWS = [line.strip("|").split(" | ") for line in _LINES[1:]]  # the first is the head
OPTIONS = {name for command in cli.commands.values() for item in command.params for name in item.opts}


def _named(row: list[str]) -> list[str]:
    return re.findall(r"`([^`]+)`", row[1])


def _shown_by(row: list[str]) -> list[str]:
    return re.findall(r"\]\(([^)]+)\)", row[2])


def _documents(paths: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """Specs and overlays; not what is rendered."""
    for path in paths:
        if not {"rendered", "expected"} & set(path.parts):
            yield from (item for item in yaml.safe_load_all(path.read_text()) if item and item.get("kind") in KINDS)


def test_the_table_is_there() -> None:
    """And is long enough to be the whole of it."""
    assert len(ROWS) > 50
    assert [row for row in ROWS if len(row) != 3] == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].strip())
def test_a_feature_is_shown_by_an_example_or_a_case(row: list[str]) -> None:
    """What the row names exists, and is used where the row says so."""
    names, places = _named(row), [ROOT / place for place in _shown_by(row)]
    assert names
    assert places
    assert [place for place in places if not place.exists()] == []
    for name in names:
        if name.startswith("--"):
            assert name in OPTIONS
        elif name.startswith("kagent-render "):
            assert name.removeprefix("kagent-render ") in cli.commands
        else:
            path, _, wanted = name.partition(": ")
            kind, *parts = path.split(".")
            field = find(kind, parts)
            assert not wanted or wanted in field.allowed or wanted in _allowed_in_variants(kind, parts), name
            documents = _documents(path for place in places for path in place.rglob("*.yaml"))
            used = [value for item in documents if item["kind"] == kind for value in _values(item, parts)]
            assert wanted in used if wanted else used, f"{name} is not used in {places}"


def _allowed_in_variants(kind: str, parts: list[str]) -> set[str]:
    *above, last = parts
    models = find(kind, above).models
    return {value for model in models for field in fields_of(model) if field.name == last for value in field.allowed}


def _values(value: Any, parts: list[str]) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _values(item, parts)
    elif not parts:
        yield value
    elif isinstance(value, dict) and value.get(parts[0]) is not None:
        yield from _values(value[parts[0]], parts[1:])
    if parts[-1:] == ["type"] and isinstance(value, dict):  # conditions are nested in conditions
        for key in {"anyOf", "allOf"} & set(value):
            yield from _values(value[key], parts[-1:])


def _every_choice() -> set[tuple[str, ...]]:
    """Every field of every block, and every value of those that take a closed list."""
    found: set[tuple[str, ...]] = set()
    seen: set[Model] = set()
    waiting: list[Model] = list(KINDS.values())
    while waiting:
        model = waiting.pop()
        if model in seen:
            continue
        seen.add(model)
        for field in fields_of(model):
            found |= {(model.__name__, field.name), *((model.__name__, field.name, value) for value in field.allowed)}
            waiting += field.models
    return found


def _choices(model: Model, value: Any) -> Iterator[tuple[str, ...]]:
    for field in fields_of(model):
        if isinstance(value, dict) and field.name in value:
            yield model.__name__, field.name
            for item in _flat(field, value[field.name]):
                if field.allowed:
                    yield model.__name__, field.name, str(item)
                for nested in field.models:
                    if _is_variant(nested, item) or len(field.models) == 1:
                        yield from _choices(nested, item)


def _flat(field: Field, value: Any) -> list[Any]:
    values = list(value.values()) if field.type.startswith("map[") and isinstance(value, dict) else [value]
    return [one for item in values for one in (item if isinstance(item, list) else [item])]


def _is_variant(model: Model, value: Any) -> bool:
    tags = [field for field in fields_of(model) if field.name == "type" and field.allowed]
    return not tags or (isinstance(value, dict) and value.get("type") in tags[0].allowed)


def test_every_field_and_every_choice_is_made_somewhere() -> None:
    """In an example or a build case, so that what it compiles to is committed and checked."""
    paths = [*EXAMPLES.glob("*/*/**/*.yaml"), *CASES.glob("build/*/input/**/*.yaml")]
    used = {choice for item in _documents(paths) for choice in _choices(KINDS[item["kind"]], item)}
    assert sorted(_every_choice() - used) == []
