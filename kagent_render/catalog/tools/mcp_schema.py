"""The JSON Schema of an MCP tool: whether a model could be given it, and whether it takes a value.

A server says what it likes. Regular expressions in it are never run: one can be made to take for ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from kagent_render.schemas.validator import Defect, defects

Schema = Mapping[str, Any]
Location = tuple[int | str, ...]
TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
# What Anthropic takes as the name of an argument; the other providers refuse no less.
_ARGUMENT = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")
# JSON Schema 2020-12, 10: the keywords that hold one schema, a list of them, or named ones.
_ONE = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames")
_LIST = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED = ("properties", "$defs", "definitions", "patternProperties", "dependentSchemas")
_BOUNDS = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")
_FORMS: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    **dict.fromkeys(("required", "enum", *_LIST), (list, "a list")),
    **dict.fromkeys(_NAMED, (dict, "a mapping")),
    **dict.fromkeys(_BOUNDS, ((int, float), "a number")),
}
_KEPT = ("type", "enum", "required", *_BOUNDS)
# A schema may refer to itself, and a short one unfold into millions of parts; of the rest, everything is let through.
_DEEPEST, _MOST = 24, 5_000


class Flaw(NamedTuple):
    """Why a schema cannot be used: the place in it, and the reason."""

    location: Location
    message: str


def flaws(schema: Schema) -> Iterator[Flaw]:
    """Why no model could be given a tool with these arguments."""
    kind = schema.get("type", "object")
    if kind != "object":
        yield Flaw(("type",), f"the arguments are not an object, but `{kind}`")
        return
    found = list(_malformed(schema, schema, ()))
    yield from found
    for name in schema.get("properties", {}) if not found else ():
        if not _ARGUMENT.match(name):
            yield Flaw(("properties", name), f"a model cannot give the argument `{name}`")


def _malformed(schema: Any, root: Schema, place: Location) -> Iterator[Flaw]:
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        yield Flaw(place, "this is not a schema")
        return
    yield from (Flaw((*place, name), message) for name, message in _misused(schema, root))
    for name, below in _below(schema):
        yield from _malformed(below, root, (*place, *name))


def _misused(schema: Schema, root: Schema) -> Iterator[tuple[str, str]]:
    kinds = schema.get("type", [])
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        if kind not in TYPES:
            yield "type", f"`{kind}` is not a type of JSON Schema"
    for name, (wanted, words) in _FORMS.items():
        if name in schema and not isinstance(schema[name], wanted):
            yield name, f"`{name}` is not {words}"
    if not all(isinstance(name, str) for name in schema.get("required", ())):
        yield "required", "`required` is not a list of names"
    if "$ref" in schema and _referred(schema["$ref"], root) is None:
        yield "$ref", f"`{schema['$ref']}` is not in this schema"


def _below(schema: Schema) -> Iterator[tuple[Location, Any]]:
    yield from (((name,), schema[name]) for name in _ONE if name in schema)
    for name in _LIST:
        if isinstance(found := schema.get(name), list):
            yield from (((name, index), item) for index, item in enumerate(found))
    for name in _NAMED:
        if isinstance(found := schema.get(name), dict):
            yield from (((name, key), item) for key, item in found.items())


def _referred(reference: Any, root: Schema) -> Schema | bool | None:
    """What a reference (RFC 6901, in a fragment) leads to; None when that is nothing in this document."""
    if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
        return None
    found: Any = root
    for part in reference.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict | bool) else None


def misfits(value: Any, schema: Schema, argument: str) -> list[Defect]:
    """Why a value is no value of an argument: its type, choices, sizes and fields. Of a schema without flaws."""
    return list(defects(value, _Plain(schema).of(schema["properties"][argument])))


class _Plain:
    """The part of a schema that our validator knows, without references: as far as it does not grow without end."""

    def __init__(self, root: Schema) -> None:
        self._root, self._left = root, _MOST

    def of(self, schema: Any, depth: int = 0) -> dict[str, Any]:
        """The plain form; of what lies deeper than any value, one that takes everything."""
        self._left -= 1
        if not isinstance(schema, dict) or depth > _DEEPEST or self._left < 0:
            return {}
        plain = {name: schema[name] for name in _KEPT if name in schema}
        if "const" in schema:
            plain["enum"] = [schema["const"]]
        if "$ref" in schema:
            plain["allOf"] = [self.of(_referred(schema["$ref"], self._root), depth + 1)]
        for name in ("allOf", "anyOf", "oneOf"):
            if name in schema:
                plain[name] = [*plain.get(name, ()), *(self.of(item, depth + 1) for item in schema[name])]
        if "properties" in schema:
            plain["properties"] = {name: self.of(item, depth + 1) for name, item in schema["properties"].items()}
        if isinstance(schema.get("items"), dict) and "prefixItems" not in schema:
            plain["items"] = self.of(schema["items"], depth + 1)
        return plain | self._closed(schema, depth)

    def _closed(self, schema: Schema, depth: int) -> dict[str, Any]:
        """What other fields may be; with `patternProperties`, anything."""
        others = schema.get("additionalProperties", True)
        if others is True or "patternProperties" in schema:
            return {}
        return {"additionalProperties": others and self.of(others, depth + 1)}
