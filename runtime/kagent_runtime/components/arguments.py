"""The arguments of a call, checked against what the tool declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.model import ToolParameters
from kagent_runtime.model.tool_parameters import ToolParameter

MAX_TEXT = 32_768
_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
}


def checked(tool: str, parameters: ToolParameters, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with defaults filled in. Raises ToolFailureError that says what the tool takes."""
    known = parameters.properties
    found = {name: item.default for name, item in known.items() if item.default is not None}
    for name, value in arguments.items():
        if name not in known:
            raise ToolFailureError(
                f"`{name[:60]}` is not an argument of {tool}; it takes: {', '.join(known) or 'none'}"
            )
        if value is None or (value == "" and name not in parameters.required):
            continue  # how models leave something out
        found[name] = _checked(name, value, known[name])
    for name in parameters.required:
        if found.get(name) in (None, ""):
            raise ToolFailureError(f"the argument `{name}` is required")
    return found


def _checked(name: str, value: Any, declared: ToolParameter) -> Any:
    if isinstance(value, list) and declared.items is not None:
        return _items(name, value, declared, declared.items)
    value = _scalar(name, value, declared.type)
    if declared.enum and value not in declared.enum:
        raise ToolFailureError(f"`{name}` must be one of: {', '.join(declared.enum)}")
    return value


def _items(name: str, values: list[Any], declared: ToolParameter, item: ToolParameters) -> list[dict[str, Any]]:
    low, high = declared.minItems or 0, declared.maxItems or len(values)
    if not low <= len(values) <= high:
        raise ToolFailureError(f"`{name}` must have {low} to {high} items, not {len(values)}")
    return [_item(f"{name}[{index}]", value, item) for index, value in enumerate(values)]


def _item(place: str, value: Any, declared: ToolParameters) -> dict[str, Any]:
    """One object of a list; other than in a call, an empty text in it is a text."""
    known = declared.properties
    if not isinstance(value, dict) or not set(value) <= set(known):
        raise ToolFailureError(f"`{place}` must be an object of: {', '.join(known)}")
    found = {key: _checked(f"{place}.{key}", one, known[key]) for key, one in value.items() if one is not None}
    for key in declared.required:
        if found.get(key) in (None, ""):
            raise ToolFailureError(f"`{place}.{key}` is required")
    return found


def _scalar(name: str, value: Any, kind: str) -> Any:
    if kind == "integer" and isinstance(value, float) and value.is_integer():
        value = int(value)  # JSON has one kind of number
    is_kind = isinstance(value, _KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))
    if not is_kind:
        raise ToolFailureError(f"`{name}` must be of type {kind}")
    if isinstance(value, float) and not abs(value) < float("inf"):
        raise ToolFailureError(f"`{name}` must be a finite number")
    if isinstance(value, str) and any("\ud800" <= char <= "\udfff" for char in value):
        raise ToolFailureError(f"`{name}` is not valid Unicode")  # JSON can write half of a pair
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise ToolFailureError(f"`{name}` is longer than {MAX_TEXT:,} characters")
    return value


def with_defaults(parameters: ToolParameters, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments, and the defaults of those that are not given."""
    defaults = {name: item.default for name, item in parameters.properties.items() if item.default is not None}
    return defaults | {name: value for name, value in arguments.items() if value is not None}
