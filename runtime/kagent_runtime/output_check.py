"""Whether a text or a value is JSON of a schema: of the subset in model/output_schema.py or model/answer_schema.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

_FENCE = "```"
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
}
_NAMES = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", int: "a number", float: "a number"}


class NotOfTheSchemaError(ValueError):
    """The text is no JSON, or not of the schema. The message says where, in words that a model can act on."""


def parse(text: str, schema: dict[str, Any]) -> Any:
    """The value in a text. Raises NotOfTheSchemaError."""
    try:
        value = json.loads(_unfenced(text), parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        raise NotOfTheSchemaError(f"not JSON: {error}") from None
    check(value, schema)
    return value


def check(value: Any, schema: dict[str, Any]) -> None:
    """Raises NotOfTheSchemaError for a value that is not of the schema."""
    problems = list(islice(_problems(value, schema, "$"), 5))
    if problems:
        raise NotOfTheSchemaError("; ".join(problems))


def _unfenced(text: str) -> str:
    """Without the Markdown fence that models like to put around JSON."""
    stripped = text.strip()
    if stripped.startswith(_FENCE) and stripped.endswith(_FENCE) and "\n" in stripped:
        return stripped[stripped.index("\n") : -len(_FENCE)]
    return stripped


def no_constant(name: str) -> Any:
    """For `json.loads`, which would read NaN and Infinity. Raises ValueError."""
    raise ValueError(f"{name} is not JSON")


def _problems(value: Any, schema: dict[str, Any], path: str) -> Iterator[str]:
    if not _is_of(value, schema["type"]):
        found = _NAMES.get(type(value), "null")
        yield f"{path} must be of type {schema['type']}, not {found}"
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{path} must be one of {json.dumps(schema['enum'], ensure_ascii=False)}"
    elif schema["type"] == "array":
        for index, item in enumerate(value):
            yield from _problems(item, schema["items"], f"{path}[{index}]")
    elif schema["type"] == "object":
        yield from _object_problems(value, schema, path)


def _object_problems(value: dict[str, Any], schema: dict[str, Any], path: str) -> Iterator[str]:
    for name in schema["required"]:
        if name not in value:
            yield f"{path}.{name} is missing"
    is_open = schema["additionalProperties"]
    for name, item in value.items():
        if is_open and (name not in schema["properties"] or (item is None and name not in schema["required"])):
            continue  # servers say more than is asked of them, and null for what there is not
        if name in schema["properties"]:
            yield from _problems(item, schema["properties"][name], f"{path}.{name}")
        else:
            yield f"{path}.{name} is not a property"


def _is_of(value: Any, type_: str) -> bool:
    if isinstance(value, bool):
        return type_ == "boolean"
    if type_ == "integer" and isinstance(value, float):
        return value.is_integer()  # 1.0 is an integer in JSON Schema
    return isinstance(value, _TYPES[type_])
