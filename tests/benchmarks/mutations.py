"""One-point mutations of rendered objects: the same list for the same seed, on every machine."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from kagent_render.schemas import NEWEST, schema_of
from kagent_render.schemas.bundle import Schema, definition
from tests.harness import CASES, EXAMPLES

JSON = dict[str, Any]
Place = tuple[str | int, ...]

# The path of the request is made of these: another value is another request, not another object.
_FIXED = {("apiVersion",), ("kind",), ("metadata",), ("metadata", "namespace")}
_NUMBERS = (-1, 0, 1, 2, 65535, 65536, 99_999_999, 2**31, 10**20, 1.5)
_NAMES = ("Ünknown!", "UPPER", "-start", "end-", "a b", "a/b/c", "a_b", "x.y", "/x", "x" * 64, "y" * 254)
_QUANTITIES = ("12Foo", "-1", "1.5.0", "0.5m", "1e3", "100m", "100Gi", "0")
_ENUMS = ("Sometimes", "Always", "Never", "None", "TCP", "UDP", "Exists", "In", "*")
_TEXTS = ("80", "true", "1h", "10.0.0.0/8", "10.0.0.1/33", "http://x", "$(A)", "100%", "101%", "a,b", "{}")
_VALUES: dict[str, tuple[Any, ...]] = {
    "string": (*_NAMES[:6], *_ENUMS, *_TEXTS, "a", "b-c", "/x", "app"),
    "integer": (*_NUMBERS[:7], 10, 600),
    "number": _NUMBERS,
    "boolean": (True, False),
}
# Not for manifests.
_BY_SERVER = {"status", "managedFields"}


@dataclass(frozen=True)
class Mutation:
    """An object with one thing changed: what was done, where, and the result."""

    action: str
    place: Place
    before: JSON
    after: JSON

    @property
    def group(self) -> str:
        """Kind, path without indices and action: mutations that are refused for one reason share it."""
        path = ".".join("*" if isinstance(part, int) else part for part in self.place)
        return f"{self.before['kind']} {path}: {self.action}"


def rendered_objects() -> list[JSON]:
    """Every object of every example and case, each once."""
    paths = sorted([*EXAMPLES.glob("*/rendered/**/*.yaml"), *CASES.glob("build/*/expected/**/*.yaml")])
    found = [item for path in paths for item in yaml.load_all(path.read_bytes(), yaml.CSafeLoader)]
    return [item for item in found if item["kind"] != "Kustomization"]


def mutations(count: int, seed: int) -> Iterator[Mutation]:
    """So many mutations; half of them evenly over objects, half evenly over kinds."""
    chance, objects = random.Random(seed), rendered_objects()
    by_kind: dict[tuple[str, str], list[JSON]] = {}
    for item in objects:
        by_kind.setdefault((item["apiVersion"], item["kind"]), []).append(item)
    kinds = sorted(by_kind)
    for _ in range(count):
        pool = objects if chance.random() < 0.5 else by_kind[chance.choice(kinds)]
        mutation = None
        while mutation is None:
            item = chance.choice(pool)
            mutation = _mutated(item, by_kind[item["apiVersion"], item["kind"]], chance)
        yield mutation


def _mutated(item: JSON, same_kind: list[JSON], chance: random.Random) -> Mutation | None:
    place = chance.choice([place for place in _places(item) if place not in _FIXED])
    after = copy.deepcopy(item)
    *above, last = place
    parent: Any = after
    for key in above:
        parent = parent[key]
    names = [name for name, (fits, _) in _ACTIONS.items() if fits(parent, last)]
    name = chance.choice(names)
    _ACTIONS[name][1](_Point(parent, last, place, same_kind, chance))
    return Mutation(name, place, item, after) if after != item and _request(after) == _request(item) else None


def _request(item: JSON) -> object:
    """What the path of the request is made of, besides the name."""
    metadata = item.get("metadata")
    if not isinstance(metadata, dict):
        return None
    return (item.get("apiVersion"), item.get("kind"), metadata.get("namespace"))


def _places(value: Any, place: Place = ()) -> Iterator[Place]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*place, key)
        yield from _places(item, (*place, key))


@dataclass
class _Point:
    parent: Any
    key: str | int
    place: Place
    same_kind: list[JSON]
    chance: random.Random

    @property
    def value(self) -> Any:
        return self.parent[self.key]

    @value.setter
    def value(self, value: Any) -> None:
        self.parent[self.key] = value


def _one_of(values: tuple[Any, ...]) -> Callable[[_Point], None]:
    def act(point: _Point) -> None:
        point.value = copy.deepcopy(point.chance.choice(values))

    return act


def _remove(point: _Point) -> None:
    del point.parent[point.key]


def _add_unknown(point: _Point) -> None:
    point.parent["unknownField"] = point.chance.choice((1, "x", {}, []))


def _wrap(point: _Point) -> None:
    point.value = point.chance.choice(([point.value], {"value": point.value}))


def _empty(point: _Point) -> None:
    point.value = type(point.value)()


def _nullify(point: _Point) -> None:
    point.value = None


def _duplicate(point: _Point) -> None:
    point.parent.append(copy.deepcopy(point.value))


def _rename(point: _Point) -> None:
    key = str(point.key)
    new = point.chance.choice((key + "s", key[:-1] or "x", key.upper(), "bad key!", "-" + key, "a/b/" + key))
    point.parent[new] = point.parent.pop(point.key)


def _swap(point: _Point) -> None:
    keys = list(point.parent) if isinstance(point.parent, dict) else list(range(len(point.parent)))
    other = point.chance.choice(keys)
    point.parent[point.key], point.parent[other] = point.parent[other], point.parent[point.key]


def _recase(point: _Point) -> None:
    point.value = point.chance.choice((point.value.lower(), point.value.upper(), point.value.capitalize()))


def _lengthen(point: _Point) -> None:
    point.value += point.chance.choice(("-", " ", "x" * 60, "\n", "."))


def _transplant(point: _Point) -> None:
    """What another object of the kind has at the place's parent is added, or stands in for its own."""
    other: Any = point.chance.choice(point.same_kind)
    for key in point.place[:-1]:
        try:
            other = other[key]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(other, dict) and other:
        key = point.chance.choice(sorted(other))
        point.parent[key] = copy.deepcopy(other[key])


def _add_known(point: _Point) -> None:
    """A field that the kind has and that we never render, or not there, with a value that fits its type or nearly."""
    schema = _schema_at(point.same_kind[0], point.place[:-1])
    names = sorted(set(schema.get("properties", {})) - set(point.parent) - _BY_SERVER)
    if names and point.place[0] != "metadata":
        name = point.chance.choice(names)
        point.parent[name] = _made(schema["properties"][name], point.chance, 0)


def _schema_at(item: JSON, place: Place) -> Schema:
    schema: Schema = schema_of(item["apiVersion"], item["kind"]) or {}
    for key in place:
        schema = _resolved(schema)
        inside = schema.get("items") if isinstance(key, int) else schema.get("properties", {}).get(key)
        schema = inside or {}
    return _resolved(schema)


def _resolved(schema: Schema) -> Schema:
    while "$ref" in schema:
        schema = definition(schema["$ref"], NEWEST)
    return schema


def _made(schema: Schema, chance: random.Random, depth: int) -> Any:
    schema = _resolved(schema)
    if "enum" in schema:
        return chance.choice([*schema["enum"], "Sometimes"])
    kinds = schema.get("type") or "quantity"
    kind = kinds if isinstance(kinds, str) else next(name for name in kinds if name != "null")
    if kind == "object":
        fields = sorted(schema.get("properties", {}))
        wanted = {*schema.get("required", ()), *chance.sample(fields, min(len(fields), 1 if depth < 6 else 0))}
        return {name: _made(schema["properties"][name], chance, depth + 1) for name in sorted(wanted)}
    if kind == "array":
        return [_made(schema["items"], chance, depth + 1)] if depth < 6 else []
    return chance.choice(_VALUES.get(kind, (*_QUANTITIES, *_NUMBERS[:6])))


def _of(*kinds: type) -> Callable[[Any, str | int], bool]:
    def fits(parent: Any, key: str | int) -> bool:
        value = parent[key]
        return isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))

    return fits


def _always(parent: Any, key: str | int) -> bool:
    return True


def _in_mapping(parent: Any, key: str | int) -> bool:
    return isinstance(parent, dict)


_ACTIONS: dict[str, tuple[Callable[[Any, str | int], bool], Callable[[_Point], None]]] = {
    "remove": (_always, _remove),
    "unknown field": (_in_mapping, _add_unknown),
    "other type": (_always, _one_of((True, 7, "text", [], {}, ["text"], {"a": "b"}))),
    "wrap": (_always, _wrap),
    "null": (_always, _nullify),
    "empty": (_of(str, list, dict), _empty),
    "number": (_of(int, float), _one_of(_NUMBERS)),
    "name": (_of(str), _one_of(_NAMES)),
    "quantity": (_of(str, int), _one_of(_QUANTITIES)),
    "enum": (_of(str), _one_of(_ENUMS)),
    "text": (_of(str), _one_of(_TEXTS)),
    "case": (_of(str), _recase),
    "lengthen": (_of(str), _lengthen),
    "duplicate item": (lambda parent, key: isinstance(parent, list), _duplicate),
    "rename key": (_in_mapping, _rename),
    "swap": (_always, _swap),
    "transplant": (_in_mapping, _transplant),
    "known field": (_in_mapping, _add_known),
}
