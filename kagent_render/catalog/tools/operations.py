"""Tools that are one of a type's own operations: what a document may narrow of its parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from kagent_render.catalog.base import Problem
from kagent_render.catalog.tools.base import Parameter
from kagent_render.catalog.tools.parameters import check_parameters, object_schema, property_of
from kagent_render.diagnostics import did_you_mean


class HasParameters(Protocol):
    """An operation: the JSON Schema properties of its arguments, and which are required."""

    @property
    def parameters(self) -> Mapping[str, dict[str, Any]]:
        """The properties."""

    @property
    def required(self) -> tuple[str, ...]:
        """The required ones."""


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation on a server: its arguments (JSON Schema properties), and which are required."""

    parameters: dict[str, dict[str, Any]]
    required: tuple[str, ...] = ()


def text(description: str, *choices: str) -> dict[str, Any]:
    """The property of a string."""
    return {"type": "string", "description": description} | ({"enum": list(choices)} if choices else {})


def number(description: str) -> dict[str, Any]:
    """The property of a whole number."""
    return {"type": "integer", "description": description}


def flag(description: str) -> dict[str, Any]:
    """The property of true or false."""
    return {"type": "boolean", "description": description}


def items(
    description: str, properties: dict[str, dict[str, Any]], required: tuple[str, ...], *, at_most: int
) -> dict[str, Any]:
    """The property of a list of objects. A document cannot narrow it: its parameters are single values."""
    item = object_schema(properties, list(required))
    return {"type": "array", "description": description, "items": item, "minItems": 1, "maxItems": at_most}


def check_narrowing(declared: Mapping[str, Parameter] | None, operation: HasParameters) -> Iterator[Problem]:
    """Parameters that the operation does not have, of another type, or needed and not there."""
    if declared is None:
        return
    yield from check_parameters({name: item for name, item in declared.items() if name in operation.parameters})
    for name, parameter in declared.items():
        known = operation.parameters.get(name)
        if known is None:
            help = did_you_mean(name, operation.parameters) or "it has: " + ", ".join(operation.parameters)
            yield Problem("KR107", f"the operation has no parameter `{name}`", ("parameters", name), help)
        elif known["type"] == "array":
            help = "remove it; the operation always takes it"
            yield Problem("KR107", f"`{name}` is a list, which cannot be narrowed", ("parameters", name), help)
        elif parameter.type != known["type"]:
            place = ("parameters", name, "type")
            yield Problem("KR107", f"`{name}` must be of type {known['type']}, not {parameter.type}", place, None)
        else:
            yield from _check_choices(name, parameter, known)
    yield from _check_required(declared, operation)


def _check_choices(name: str, parameter: Parameter, known: dict[str, Any]) -> Iterator[Problem]:
    accepted = known.get("enum")
    for index, choice in enumerate(parameter.enum or ()):
        if accepted and choice not in accepted:
            place = ("parameters", name, "enum", index)
            yield Problem("KR107", f"`{name}` cannot be `{choice}`", place, "one of " + ", ".join(accepted))


def _check_required(declared: Mapping[str, Parameter], operation: HasParameters) -> Iterator[Problem]:
    for name in operation.required:
        parameter = declared.get(name)
        if operation.parameters[name]["type"] == "array":
            continue
        if parameter is None:
            yield Problem("KR107", f"the operation needs the parameter `{name}`", ("parameters",), f"declare `{name}`")
        elif parameter.required is False and parameter.default is None:
            place = ("parameters", name, "required")
            yield Problem("KR107", f"the operation needs `{name}`", place, "remove `required: false`")


def narrowed_schema(declared: Mapping[str, Parameter] | None, operation: HasParameters) -> dict[str, Any]:
    """The JSON Schema of a call: all arguments, or those declared."""
    if declared is None:
        return object_schema(operation.parameters, list(operation.required))
    lists = {name: item for name, item in operation.parameters.items() if item["type"] == "array"}
    properties = {name: _property(parameter, operation.parameters[name]) for name, parameter in declared.items()}
    required = [n for n, p in declared.items() if p.required or (n in operation.required and p.default is None)]
    return object_schema(properties | lists, [*required, *(name for name in lists if name in operation.required)])


def _property(parameter: Parameter, known: dict[str, Any]) -> dict[str, Any]:
    schema = property_of(parameter)
    return schema | ({"enum": list(known["enum"])} if "enum" in known and "enum" not in schema else {})
