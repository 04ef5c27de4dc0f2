"""The rules that the declared parameters of a tool follow, and their JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kagent_render.catalog.base import Problem
from kagent_render.catalog.tools.base import Parameter

# What every model provider accepts as the name of an argument, and a placeholder can be written with.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}\Z")
_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def check_parameters(parameters: Mapping[str, Parameter]) -> Iterator[Problem]:
    """Names no model could use, and values that contradict the type."""
    for name, parameter in parameters.items():
        place = ("parameters", name)
        if not _NAME.match(name):
            help = "letters, digits, `-` and `_`, starting with a letter"
            yield Problem("KR105", f"`{name}` is not a parameter name", place, help)
        yield from _check_choices(parameter, place)
        yield from _check_default(name, parameter, place)


def _check_choices(parameter: Parameter, place: tuple[str, ...]) -> Iterator[Problem]:
    choices = parameter.enum or []
    if choices and parameter.type != "string":
        message = f"a parameter of type {parameter.type} cannot have an enum of strings"
        yield Problem("KR356", message, (*place, "enum"), "use `type: string`, or remove the enum")
    for index, choice in enumerate(choices):
        if choice in choices[:index]:
            yield Problem("KR356", f"`{choice}` is listed twice", (*place, "enum", index), "remove one")


def _check_default(name: str, parameter: Parameter, place: tuple[str, ...]) -> Iterator[Problem]:
    value, where = parameter.default, (*place, "default")
    if value is None:
        return
    if not has_type(value, parameter.type):
        yield Problem("KR356", f"the default of `{name}` is not of type {parameter.type}", where, None)
    elif parameter.enum and value not in parameter.enum:
        help = "one of " + ", ".join(parameter.enum)
        yield Problem("KR356", f"the default `{value}` is not one of the accepted values", where, help)
    if parameter.required:
        yield Problem("KR356", f"`{name}` is required, so its default is never used", where, "remove one of the two")


def has_type(value: Any, kind: str) -> bool:
    """Whether a value is of a parameter type; true and false are no numbers."""
    return isinstance(value, _PYTHON_TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def is_always_given(parameter: Parameter) -> bool:
    """Whether a call has a value for it: one that the model must give, or a default."""
    return bool(parameter.required) or parameter.default is not None


def property_of(parameter: Parameter) -> dict[str, Any]:
    """The parameter as a JSON Schema property."""
    schema: dict[str, Any] = {"type": parameter.type, "description": parameter.description}
    choices = {"enum": list(parameter.enum)} if parameter.enum else {}
    default = {"default": parameter.default} if parameter.default is not None else {}
    return schema | choices | default


def object_schema(properties: Mapping[str, dict[str, Any]], required: list[str]) -> dict[str, Any]:
    """The closed JSON Schema of a call's arguments."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": required,
        "additionalProperties": False,
    }


def schema_of(parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    """The JSON Schema of the arguments that a document declares."""
    properties = {name: property_of(parameter) for name, parameter in parameters.items()}
    return object_schema(properties, [name for name, parameter in parameters.items() if parameter.required])
