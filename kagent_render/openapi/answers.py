"""What an operation answers when all goes well: the form of its JSON, as far as `response.schema` can say it.

Only what a right answer always has is asked for: one that says more, or null where nothing need be, is right too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kagent_render.openapi.bodies import is_json
from kagent_render.openapi.draft import Draft
from kagent_render.openapi.places import Location, NotExpressibleError, Place
from kagent_render.openapi.schemas import TYPES, Schema, read
from kagent_render.specs.secrets import has_secret

MAX_VALUES = 100
_DEEPEST = 10
_SUCCESS = re.compile(r"2([0-9][0-9]|XX)\Z", re.IGNORECASE)
_EMPTY = ("204", "205")


def add_answer(draft: Draft) -> None:
    """The schema of the answer, or a word on why there is none. It never keeps an operation from being imported."""
    try:
        places = list(_schemas(draft)) if draft.method != "HEAD" else []
        if not places:
            return
        found = [_Reader().value(place) for place in places]
        if any(item != found[0] for item in found):
            raise NotExpressibleError("there are several forms of it", places[1])
        draft.answer = found[0]
    except NotExpressibleError as error:
        error.place.warn(f"what `{draft.title}` answers is not checked: {error.message}", error.help)


def _schemas(draft: Draft) -> Iterator[Place]:
    """Of every answer in JSON; none when an answer may be something else."""
    found: list[Place] = []
    is_other = False
    for status, response in draft.place.fields("responses"):
        if not _SUCCESS.match(status) or status in _EMPTY:
            continue
        content = list(response.fields("content"))
        own = [place for kind, item in content if is_json(kind) and (place := item.get("schema"))]
        is_other = is_other or not own
        found += own
    if not is_other:
        yield from found
    elif found:
        raise NotExpressibleError("it may be something else than JSON", found[0])


class _Reader:
    """Reads one schema, and stops where it is larger than anybody would review."""

    def __init__(self) -> None:
        self._left = MAX_VALUES

    def value(self, place: Place, above: frozenset[Location] = frozenset()) -> dict[str, Any]:
        """As `response.schema` has it. Raises NotExpressibleError."""
        schema = read(place)
        if _is_nullable(schema):
            raise NotExpressibleError("it may be null", place)
        return self._form(schema, above)

    def _form(self, schema: Schema, above: frozenset[Location]) -> dict[str, Any]:
        place = schema.place
        if place.target in above or len(above) > _DEEPEST:
            raise NotExpressibleError("it is a part of itself, or nested too deep", place)
        self._left -= 1
        if self._left < 0:
            raise _TooLargeError(f"it has more than {MAX_VALUES} values", place)
        within = above | {place.target}
        if schema.is_object:
            return self._object(schema, within)
        return self._array(schema, within) if schema.types == ["array"] else _scalar(schema)

    def _object(self, schema: Schema, within: frozenset[Location]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        required: list[str] = []
        for name, place in schema.properties.items():
            try:
                member = read(place)
                if member.plain("writeOnly") is True or not name or has_secret(name):
                    continue
                found[name] = self._form(member, within)
                required += [name] if name in schema.required and not _is_nullable(member) else []
            except _TooLargeError:
                raise
            except NotExpressibleError as error:
                place.warn(f"the field `{name}` of the answer is not checked: {error.message}")
        if not found:
            raise NotExpressibleError("it is an object of any form", schema.place)
        return {"type": "object", "properties": found, "required": required}

    def _array(self, schema: Schema, within: frozenset[Location]) -> dict[str, Any]:
        items = schema.words.get("items")
        if items is None:
            raise NotExpressibleError("it is a list of anything", schema.place)
        return {"type": "array", "items": self.value(items, within)}


def _is_nullable(schema: Schema) -> bool:
    """In the words of 3.0, of 3.1, or as one of its alternatives."""
    listed = [value for name in ("type", "enum") if isinstance(value := schema.plain(name), list)]
    is_listed = any(None in values or "null" in values for values in listed)
    return schema.has_null or schema.plain("nullable") is True or is_listed


def _scalar(schema: Schema) -> dict[str, Any]:
    choices = schema.plain("enum")
    texts = [item for item in choices if item is not None] if isinstance(choices, list) else []
    is_chosen = bool(texts) and all(isinstance(item, str) and item and not has_secret(item) for item in texts)
    types = schema.types or (["string"] if is_chosen else [])
    if len(types) != 1 or types[0] not in TYPES:
        raise NotExpressibleError("it is of no type, or of several", schema.place)
    return {"type": types[0]} | ({"enum": list(dict.fromkeys(texts))} if is_chosen and types == ["string"] else {})


class _TooLargeError(NotExpressibleError):
    """Of the answer as a whole."""
