"""The check of answers agrees with a real JSON Schema validator, on every schema that a spec can say."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from kagent_render.catalog.output_schema import OutputSchema, OutputValue
from kagent_runtime.model.answer_schema import AnswerSchema
from kagent_runtime.model.output_schema import Object
from kagent_runtime.output_check import NotOfTheSchemaError, check, parse

NAMES = st.sampled_from(["a", "b", "c"])
LEAVES = st.one_of(
    st.sampled_from(["number", "integer", "boolean", "string"]).map(lambda name: {"type": name}),
    st.lists(st.sampled_from(["x", "y"]), min_size=1, unique=True).map(lambda e: {"type": "string", "enum": e}),
)


def _object(properties: dict[str, Any], required: list[str] | None) -> dict[str, Any]:
    shape: dict[str, Any] = {"type": "object", "properties": properties}
    return shape if required is None else shape | {"required": [name for name in required if name in properties]}


def _objects(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    properties = st.dictionaries(NAMES, values, min_size=1, max_size=3)
    return st.builds(_object, properties, st.none() | st.lists(NAMES, unique=True))


SCHEMAS = _objects(
    st.recursive(LEAVES, lambda v: _objects(v) | v.map(lambda i: {"type": "array", "items": i}), max_leaves=4)
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0, "x", "z", ""]),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(NAMES, v, max_size=3),
    max_leaves=6,
)


@given(SCHEMAS, VALUES)
def test_it_agrees_with_a_real_validator(spec: dict[str, Any], value: Any) -> None:
    """In both directions; and the runtime accepts every schema that the compiler makes."""
    schema = OutputSchema.model_validate(spec).json_schema()
    Object.model_validate(schema)
    is_valid = jsonschema.Draft202012Validator(schema).is_valid(value)
    try:
        assert parse(json.dumps(value), schema) == value
    except NotOfTheSchemaError:
        assert not is_valid
    else:
        assert is_valid


@given(SCHEMAS, VALUES)
def test_what_servers_answer_is_checked_as_by_a_real_validator(spec: dict[str, Any], value: Any) -> None:
    """Open schemas; besides, a field that may be left out may be null."""
    schema = OutputValue.model_validate(spec).json_schema(is_open=True)
    TypeAdapter(AnswerSchema).validate_python(schema)
    is_valid = jsonschema.Draft202012Validator(schema).is_valid(_without_nulls(value, schema))
    try:
        check(value, schema)
    except NotOfTheSchemaError:
        assert not is_valid
    else:
        assert is_valid


def _without_nulls(value: Any, schema: dict[str, Any]) -> Any:
    if isinstance(value, list) and schema["type"] == "array":
        return [_without_nulls(item, schema["items"]) for item in value]
    if not isinstance(value, dict) or schema["type"] != "object":
        return value
    kept = {name: item for name, item in value.items() if item is not None or name in schema["required"]}
    return {n: _without_nulls(i, schema["properties"][n]) if n in schema["properties"] else i for n, i in kept.items()}


@pytest.mark.parametrize("text", ["", "{", "NaN", '{"a": NaN}', "[" * 100_000, "```json\n{}", '{"a": 1} and more'])
def test_what_is_no_json_is_said_to_be_none(text: str) -> None:
    """Never another exception."""
    with pytest.raises(NotOfTheSchemaError, match="not JSON"):
        parse(text, {"type": "object", "properties": {}, "required": [], "additionalProperties": False})


def test_a_fence_around_the_json_is_taken_off() -> None:
    """Most models put one there, whatever they are told."""
    schema = OutputSchema.model_validate({"type": "object", "properties": {"a": {"type": "integer"}}}).json_schema()
    for text in ('```json\n{"a": 1}\n```', '```\n{"a": 1}```', ' {"a": 1}\n'):
        assert parse(text, schema) == {"a": 1}
