"""JSON Schema as Kubernetes uses it: the keywords of structural schemas, and strict about fields that nobody knows.

Source: kubernetes.io, "Extend the Kubernetes API with CustomResourceDefinitions", and `fieldValidation=Strict`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sized
from functools import lru_cache
from typing import Any, NamedTuple

from kagent_render.schemas.bundle import NEWEST, Schema, definition

Path = tuple[str | int, ...]
_JUNCTORS = frozenset({"allOf", "anyOf", "oneOf", "not"})
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list, tuple),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}
# What is different in every object, and takes longer to write down than to look at.
_LARGE = (".DeploymentSpec", ".PodTemplateSpec", ".PodSpec", ".Container", ".ObjectMeta")
_WELL: set[tuple[str, str, str] | None] = set()
_SMALL, _MOST_KEPT = 1024, 10_000
_NAMES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer"}


class Defect(NamedTuple):
    """What is wrong at a path of an object."""

    path: Path
    message: str


def defects(value: Any, schema: Schema, minor: str = NEWEST, path: Path = ()) -> Iterator[Defect]:
    """Everything that the schema refuses, in the order of the object."""
    if value is None and schema.get("nullable"):
        return
    if "$ref" in schema:
        yield from _referred(value, schema["$ref"], minor, path)
    if "type" in schema and not _is_of(value, schema["type"]):
        yield Defect(path, f"has to be {_wanted(schema['type'])}, not {_shown(value)}")
        return
    if not _CHECKS.keys().isdisjoint(schema):
        yield from _in_itself(value, schema, path)
    if not _JUNCTORS.isdisjoint(schema):
        yield from _junctors(value, schema, minor, path)
    if isinstance(value, dict):
        yield from _in_object(value, schema, minor, path)
    elif isinstance(value, list):
        yield from _in_list(value, schema, minor, path)


def _referred(value: Any, name: str, minor: str, path: Path) -> Iterator[Defect]:
    """By a named definition. Objects share most of their small parts, such as probes: those are looked at once."""
    key = None if name.endswith(_LARGE) else (name, minor, repr(value))
    if key in _WELL:
        return
    is_well = True
    for defect in defects(value, definition(name, minor), minor, path):
        is_well = False
        yield defect
    if is_well and key and len(key[2]) <= _SMALL and len(_WELL) < _MOST_KEPT:
        _WELL.add(key)


def _in_itself(value: Any, schema: Schema, path: Path) -> Iterator[Defect]:
    for keyword, check in _CHECKS.items():
        if keyword in schema and (message := check(value, schema[keyword])):
            yield Defect(path, message)


def _in_object(value: dict[str, Any], schema: Schema, minor: str, path: Path) -> Iterator[Defect]:
    for name in schema.get("required", ()):
        if name not in value:
            yield Defect((*path, name), "is missing")
    known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    for name, item in value.items():
        if name in known:
            yield from defects(item, known[name], minor, (*path, name))
        elif others is False:
            yield Defect((*path, name), "is not a field of it")
        elif isinstance(others, dict):
            yield from defects(item, others, minor, (*path, name))


def _in_list(value: list[Any], schema: Schema, minor: str, path: Path) -> Iterator[Defect]:
    if "items" in schema:
        for index, item in enumerate(value):
            yield from defects(item, schema["items"], minor, (*path, index))
    keys = schema.get("x-kubernetes-list-map-keys")
    if keys:
        yield from _keyless(value, keys, path)
    seen: set[str] = set()
    for index, item in enumerate(value if keys or schema.get("x-kubernetes-list-type") == "set" else ()):
        # A key with a default may be left out; that of ports, the protocol, is TCP.
        key = repr([item.get(name, "TCP") for name in keys] if keys and isinstance(item, dict) else item)
        if key in seen:
            yield Defect((*path, index), "is there twice")
        seen.add(key)


def _keyless(items: list[Any], keys: list[str], path: Path) -> Iterator[Defect]:
    for index, item in enumerate(items):
        if item is None:
            yield Defect((*path, index), "is null")
        elif isinstance(item, dict) and "protocol" not in keys and not any(key in item for key in keys):
            yield Defect((*path, index), f"has no {' or '.join(keys)} to be told apart by")


def _junctors(value: Any, schema: Schema, minor: str, path: Path) -> Iterator[Defect]:
    for part in schema.get("allOf", ()):
        yield from defects(value, part, minor, path)
    for keyword, most in (("anyOf", None), ("oneOf", 1)):
        parts = schema.get(keyword)
        fitting = sum(not any(defects(value, part, minor)) for part in parts) if parts else 1
        if fitting == 0 or (most is not None and fitting > most):
            yield Defect(path, f"{_shown(value)} is none of the accepted forms")
    if "not" in schema and not any(defects(value, schema["not"], minor)):
        yield Defect(path, "has fields that exclude each other")


def _is_of(value: Any, wanted: str | list[str]) -> bool:
    name = _NAMES.get(type(value))
    if name == wanted or (isinstance(wanted, list) and name in wanted):
        return True
    names = [wanted] if isinstance(wanted, str) else wanted
    if isinstance(value, bool):
        return "boolean" in names
    if isinstance(value, float) and value.is_integer() and "integer" in names:
        return True
    return isinstance(value, tuple(kind for name in names for kind in _TYPES[name]))


def _wanted(wanted: str | list[str]) -> str:
    names = [wanted] if isinstance(wanted, str) else [name for name in wanted if name != "null"]
    return " or ".join(f"{'an' if name[0] in 'aeio' else 'a'} {name}" for name in names)


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    return "null" if value is None else f"`{str(value)[:40]}`"


def _pattern(value: Any, pattern: str) -> str | None:
    if isinstance(value, str) and not _compiled(pattern).search(value):
        return f"`{value[:40]}` does not match {pattern}"
    return None


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    # Go's RE2, in which `$` is the end of the text and not of its last line; its other two differences in the bundle.
    pattern = pattern.replace(r"\PC", r"[^\x00-\x1f\x7f-\x9f]").replace("^(?i)", "(?i)^")
    return re.compile(re.sub(r"(?<!\\)\$(?=$|[|)])", r"\\Z", pattern))


def _bound(test: Callable[[Any, Any], bool], words: str) -> Callable[[Any, Any], str | None]:
    def check(value: Any, bound: Any) -> str | None:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return f"`{value}` is {words} {bound}" if is_number and not test(value, bound) else None

    return check


def _length(kind: type[Sized], test: Callable[[int, int], bool], words: str) -> Callable[[Any, Any], str | None]:
    def check(value: Any, bound: Any) -> str | None:
        return f"has {len(value)} {words} {bound}" if isinstance(value, kind) and not test(len(value), bound) else None

    return check


def _enum(value: Any, allowed: list[Any]) -> str | None:
    known = ", ".join(str(item) for item in allowed)
    return None if value in allowed or value is None else f"{_shown(value)} is not accepted; one of {known}"


def _format(value: Any, name: str) -> str | None:
    bits = {"int32": 31, "int64": 63}.get(name)
    if bits and isinstance(value, int) and not -(2**bits) <= value < 2**bits:
        return f"`{value}` is not an {name}"
    return None


_CHECKS: dict[str, Callable[[Any, Any], str | None]] = {
    "enum": _enum,
    "pattern": _pattern,
    "format": _format,
    "minimum": _bound(lambda value, bound: value >= bound, "less than"),
    "maximum": _bound(lambda value, bound: value <= bound, "more than"),
    "minLength": _length(str, lambda count, bound: count >= bound, "characters, less than"),
    "maxLength": _length(str, lambda count, bound: count <= bound, "characters, more than"),
    "minItems": _length(list, lambda count, bound: count >= bound, "items, less than"),
    "maxItems": _length(list, lambda count, bound: count <= bound, "items, more than"),
    "minProperties": _length(dict, lambda count, bound: count >= bound, "fields, less than"),
    "maxProperties": _length(dict, lambda count, bound: count <= bound, "fields, more than"),
}
