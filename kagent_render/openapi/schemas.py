"""A JSON Schema to one argument: its type, and what else a Tool can say of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from kagent_render.catalog.tools.parameters import has_type
from kagent_render.openapi.places import Location, NotExpressibleError, Place
from kagent_render.openapi.texts import described, sentence

_DEEPEST = 64
TYPES = ("string", "integer", "number", "boolean")
# Limits that have no field of their own: the model reads them in the description.
_LIMITS = {
    "format": "format {}",
    "pattern": "matches {}",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "length at least {}",
    "maxLength": "length at most {}",
}
_EXCLUSIVE = {"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"}


@dataclass(slots=True)
class Schema:
    """A schema with its `allOf` taken together, and `null` taken out of its alternatives."""

    place: Place
    words: dict[str, Place] = field(default_factory=dict)
    properties: dict[str, Place] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    parts: set[Location] = field(default_factory=set)
    has_null: bool = False

    def plain(self, name: str) -> Any:
        """The value of a keyword."""
        found = self.words.get(name)
        return found.data if found else None

    @property
    def types(self) -> list[str]:
        """The types that it names, without null."""
        value = self.plain("type")
        listed = value if isinstance(value, list) else [value] if value else []
        return [str(item) for item in listed if item != "null"]

    @property
    def is_object(self) -> bool:
        """Whether it is a mapping of properties."""
        return self.types == ["object"] or (not self.types and bool(self.properties))


def read(place: Place) -> Schema:
    """The schema at a place. Raises NotExpressibleError for one that is several, or that is a part of itself."""
    schema = Schema(place)
    _add(schema, place, frozenset())
    return schema


def _add(schema: Schema, place: Place, above: frozenset[Location]) -> None:
    if place.target in above:
        raise NotExpressibleError("the schema is a part of itself", place)
    if place.target in schema.parts:
        return
    if len(above) > _DEEPEST:
        raise NotExpressibleError(f"the schema is nested deeper than {_DEEPEST} levels", place)
    schema.parts.add(place.target)
    within = above | {place.target}
    _add_own(schema, place)
    for part in place.items("allOf"):
        _add(schema, part, within)
    for name in ("anyOf", "oneOf"):
        alternatives = list(place.items(name))
        choices = [item for item in alternatives if item.mapping.get("type") != "null"]
        schema.has_null = schema.has_null or len(choices) < len(alternatives)
        if len(choices) > 1:
            raise NotExpressibleError(f"a choice of several schemas (`{name}`) has no counterpart", choices[0])
        for choice in choices:
            _add(schema, choice, within)


def _add_own(schema: Schema, place: Place) -> None:
    words = set(place.mapping) - {"allOf", "anyOf", "oneOf", "properties", "required"}
    for name in sorted(words - set(schema.words)):
        if found := place.get(name):
            schema.words[name] = found
    for name, member in place.fields("properties"):
        schema.properties.setdefault(name, member)
    listed = place.value("required", list) or ()
    schema.required |= {item for item in listed if isinstance(item, str)}


def argument(schema: Schema, description: str, *, required: bool) -> dict[str, Any]:
    """The parameter of a Tool. Raises NotExpressibleError for a list, an object, or several types."""
    kind = _type_of(schema)
    notes = list(_limits(schema))
    found: dict[str, Any] = {"type": kind}
    choices = _choices(schema)
    if choices and kind == "string" and all(isinstance(item, str) for item in choices):
        found["enum"] = list(dict.fromkeys(choices))
    elif choices:
        notes.insert(
            0,
            "one of "
            + ", ".join(str(item).lower() if item is True or item is False else str(item) for item in choices),
        )
    default = _default(schema, kind, found.get("enum"))
    text = described(description, notes)
    found["description"] = text
    if default is not None:
        found["default"] = default
    elif required:
        found["required"] = True
    return found


def _limits(schema: Schema) -> Iterator[str]:
    """In words. `exclusiveMinimum: true` of 3.0 is about `minimum`; in 3.1 it is a limit itself."""
    for name, form in _LIMITS.items():
        value = schema.plain(name)
        if schema.plain(_EXCLUSIVE.get(name, "")) is True:
            form = _LIMITS[_EXCLUSIVE[name]]
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            yield form.format(value)


def _type_of(schema: Schema) -> str:
    types = schema.types
    if len(types) > 1:
        raise NotExpressibleError(f"a value of several types ({', '.join(types)}) has no counterpart", schema.place)
    if not types:
        choices = _choices(schema)
        fitting = [kind for kind in TYPES if choices and all(has_type(item, kind) for item in choices)]
        if schema.properties or "items" in schema.words:
            raise NotExpressibleError("a value that is not one text, number or truth has no counterpart", schema.place)
        return fitting[0] if fitting else "string"
    if types[0] not in TYPES:
        article = "an" if types[0][0] in "aeiou" else "a"
        raise NotExpressibleError(f"{article} {types[0]} has no counterpart: arguments are single values", schema.place)
    return types[0]


def _choices(schema: Schema) -> list[Any]:
    if "const" in schema.words:
        return [schema.plain("const")]
    listed = schema.plain("enum")
    return [item for item in listed if item is not None] if isinstance(listed, list) else []


def _default(schema: Schema, kind: str, choices: list[str] | None) -> Any:
    place = schema.words.get("default")
    if place is None:
        return None
    if not has_type(place.data, kind) or (choices and place.data not in choices) or place.data == "":
        place.warn(f"the default {sentence(place.data)} is left out: it is no value of the argument")
        return None
    return place.data
