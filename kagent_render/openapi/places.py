"""A value of a document with where it stands; `$ref` is followed as it is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from kagent_render.diagnostics import Diagnostics
from kagent_render.source import Document

Location = tuple[int | str, ...]
_BUNDLE = "bundle the document into one file first, as `redocly bundle` does"


class NotExpressibleError(Exception):
    """Something that a Tool cannot say, and where."""

    def __init__(self, message: str, place: Place, help: str | None = None) -> None:
        super().__init__(message)
        self.message, self.place, self.help = message, place, help


@dataclass(frozen=True, slots=True)
class Place:
    """One value. Of a `$ref`, the fields beside it come first, then those of what it refers to."""

    document: Document
    diagnostics: Diagnostics
    layers: tuple[Location, ...]

    @property
    def location(self) -> Location:
        """Where it was found, which is where its defects are reported."""
        return self.layers[0]

    @property
    def target(self) -> Location:
        """Where the value itself is, after every `$ref`."""
        return self.layers[-1]

    @property
    def data(self) -> Any:
        """The value."""
        values = [_at(self.document.data, layer) for layer in self.layers]
        if not isinstance(values[-1], dict):
            return values[-1]
        merged: dict[str, Any] = {}
        for value in reversed(values):
            merged |= value
        merged.pop("$ref", None)
        return merged

    @property
    def mapping(self) -> dict[str, Any]:
        """The value if it is a mapping, else none."""
        data = self.data
        return data if isinstance(data, dict) else {}

    def get(self, name: str) -> Place | None:
        """A field; None when it is absent or null. Raises NotExpressibleError for a `$ref` that leads nowhere."""
        for layer in self.layers:
            value = _at(self.document.data, layer)
            if isinstance(value, dict) and value.get(name) is not None:
                return followed(self.document, self.diagnostics, (*layer, name))
        return None

    def value(self, name: str, kind: type | tuple[type, ...] = object) -> Any:
        """A field's plain value if it is of that type, else None."""
        value = self.mapping.get(name)
        return value if isinstance(value, kind) else None

    def items(self, name: str) -> Iterator[Place]:
        """The members of a list. Raises NotExpressibleError at a `$ref` that leads nowhere, and for no list."""
        below = self.get(name)
        if below is not None and not isinstance(below.data, list):
            raise NotExpressibleError(f"`{name}` must be a list", below)
        for index in range(len(below.data) if below else 0):
            if below is not None:
                yield followed(self.document, self.diagnostics, (*below.target, index))

    def fields(self, name: str) -> Iterator[tuple[str, Place]]:
        """The members of a mapping. Raises NotExpressibleError at a `$ref` that leads nowhere, and for no mapping."""
        below = self.get(name)
        if below is not None and not isinstance(below.data, dict):
            raise NotExpressibleError(f"`{name}` must be a mapping", below)
        for key in below.mapping if below else ():
            member = below.get(key) if below else None
            if member is not None:
                yield key, member

    def warn(self, message: str, help: str | None = None) -> None:
        """Something that was left out, or that only the user can do."""
        self.diagnostics.add("KR702", message, self.document.key_span_of(self.location), help=help)

    def fail(self, message: str, help: str | None = None, code: str = "KR701") -> None:
        """Something without which an operation cannot be imported."""
        self.diagnostics.add(code, message, self.document.key_span_of(self.location), help=help)


def followed(document: Document, diagnostics: Diagnostics, location: Location) -> Place:
    """The value at a location, or what its `$ref` leads to. Raises NotExpressibleError."""
    layers = [location]
    while isinstance(value := _at(document.data, layers[-1]), dict) and isinstance(value.get("$ref"), str):
        here = Place(document, diagnostics, ((*layers[-1], "$ref"),))
        target = _pointed(document.data, value["$ref"], here)
        if target in layers:
            raise NotExpressibleError(f"`{value['$ref']}` refers to itself", here)
        layers.append(target)
    return Place(document, diagnostics, tuple(layers))


def _pointed(data: Any, reference: str, here: Place) -> Location:
    file, _, pointer = reference.partition("#")
    if file:
        raise NotExpressibleError(f"`{reference}` is in another document, which is not read", here, _BUNDLE)
    location: Location = ()
    for part in pointer.split("/")[1:]:
        key: int | str = unquote(part).replace("~1", "/").replace("~0", "~")
        parent = _at(data, location)
        if isinstance(parent, list) and str(key).isdigit():
            key = int(key)
        location = (*location, key)
    if not pointer.startswith("/") or _at(data, location) is None:
        raise NotExpressibleError(f"`{reference}` refers to nothing", here)
    return location


def _at(data: Any, location: Location) -> Any:
    for part in location:
        if isinstance(data, dict):
            data = data.get(str(part))
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data
