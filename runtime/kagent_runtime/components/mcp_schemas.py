"""The schemas of MCP tools: what a model sees of one, and whether arguments fit it. Servers write them as they like."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from kagent_runtime.components.texts import one_line

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

Schema = Mapping[str, Any]
_NOT_KEPT = ("title", "$schema", "$id")  # of no use to a model, and refused by some providers
_SHOWN = 3
_LEFT_TO_THE_SERVER = ("pattern", "patternProperties", "unevaluatedProperties", "unevaluatedItems", "$dynamicRef")
# What is said of all arguments together, and cannot be asked of some.
_OF_THE_WHOLE = (
    *("required", "allOf", "anyOf", "oneOf", "not", "if", "then", "else", "minProperties"),
    *("dependencies", "dependentRequired", "dependentSchemas"),
)
# A schema that refers to itself, or unfolds into millions of parts, must not keep the whole process busy.
_MOST_REFERENCES = 2_000


class SchemaError(Exception):
    """The schema cannot be used to check anything."""


def visible(schema: Schema, hidden: Collection[str]) -> dict[str, Any]:
    """The schema as a model gets it. Whole, with `$defs` (AutoGen's own drops them, upstream #6663)."""
    given = {key: value for key, value in schema.items() if key not in _NOT_KEPT}
    return {"type": "object", "properties": {}} | (_without(given, hidden) if hidden else given)


def _without(schema: Any, hidden: Collection[str]) -> Any:
    """Without the arguments of these names, also where forms of the whole are told apart by them."""
    if not isinstance(schema, dict):
        return schema
    found = dict(schema)
    if isinstance(properties := found.get("properties"), dict):
        found["properties"] = {name: value for name, value in properties.items() if name not in hidden}
    if isinstance(required := found.get("required"), list):
        found["required"] = [name for name in required if name not in hidden]
    for name in ("allOf", "anyOf", "oneOf"):
        if isinstance(found.get(name), list):
            found[name] = [_without(item, hidden) for item in found[name]]
    return found


def defect(arguments: Mapping[str, Any], schema: Schema) -> str | None:
    """Why a server would refuse the arguments, in words. Raises SchemaError."""
    from jsonschema.exceptions import ValidationError

    try:
        errors: list[ValidationError] = sorted(_validator(schema).iter_errors(arguments), key=_place)
    except Exception as error:
        raise SchemaError(type(error).__name__) from None
    texts = list(dict.fromkeys(_in_words(error) for error in errors))
    more = f"; and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return "; ".join(texts[:_SHOWN]) + more if texts else None


def _place(error: Any) -> list[str]:
    return [str(part) for part in error.absolute_path]


def _in_words(error: Any) -> str:
    place = ".".join(str(part) for part in error.absolute_path)
    if place:
        return f"`{place}`: {one_line(error.message, 200)}"
    # Of the whole, some messages repeat every argument, also those that the model is not to see.
    is_of_names = error.validator in ("required", "additionalProperties", "dependentRequired")
    return one_line(error.message, 200) if is_of_names else f"they do not fit `{error.validator}` of the schema"


def fixed_defect(fixed: Mapping[str, Any], schema: Schema) -> str | None:
    """Why fixed arguments cannot be sent: names that the tool does not take, or values."""
    properties = schema.get("properties")
    known = properties if isinstance(properties, dict) else {}
    for name in fixed:
        if name not in known:
            return f"it takes no argument `{name}`"
    try:
        # What is required comes from the model.
        problem = defect(fixed, {key: value for key, value in schema.items() if key not in _OF_THE_WHOLE})
    except SchemaError:
        return "the schema of its arguments cannot be used"
    return f"it does not take the value of an argument ({problem})" if problem else None


def _validator(schema: Schema) -> Validator:
    """Checks all but regular expressions: those of a server are not run here, one can be made to take for ever."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend, validator_for
    from referencing import Registry

    base = validator_for(schema, default=Draft202012Validator)
    own: dict[str, Any] = dict.fromkeys(_LEFT_TO_THE_SERVER, _nothing)
    own |= {"$ref": _counted(base.VALIDATORS["$ref"])}
    own |= {"additionalProperties": _unless_by_pattern(base.VALIDATORS["additionalProperties"])}
    # An empty registry: nothing is fetched for a reference.
    found: Validator = extend(base, own)(schema, registry=Registry())  # type: ignore[no-untyped-call]
    return found


def _counted(follow: Any) -> Any:
    count = 0

    def reference(*given: Any) -> Iterator[Any]:
        nonlocal count
        count += 1
        if count > _MOST_REFERENCES:
            raise SchemaError("too many references")
        yield from follow(*given) or ()

    return reference


def _nothing(*_: Any) -> Iterator[Any]:
    return iter(())


def _unless_by_pattern(check: Any) -> Any:
    def others(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
        if "patternProperties" not in schema:
            yield from check(validator, value, instance, schema) or ()

    return others
