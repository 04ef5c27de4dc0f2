"""What the spec models say of themselves, as neutral records: the one source of `explain` and of the reference page."""

from __future__ import annotations

import inspect
import json
import types
import typing
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from kagent_render.catalog.conditions.registry import TerminationCondition
from kagent_render.diagnostics import did_you_mean
from kagent_render.specs.registry import KINDS

Model = type[BaseModel]
_SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean", Any: "any", object: "any"}
_LIMITS = (("ge", "at least"), ("gt", "more than"), ("le", "at most"), ("lt", "less than"))
_SIZES = (("min_length", "at least"), ("max_length", "at most"))


@dataclass(frozen=True, slots=True)
class Field:
    """One field: `type` in kubectl's words, `allowed` values if they are a closed list, the `models` of its block.

    Several models are the variants of a union. `default` is JSON; None when the field is simply absent.
    """

    name: str
    type: str
    required: bool
    default: str | None
    allowed: tuple[str, ...]
    rules: tuple[str, ...]
    description: str
    models: tuple[Model, ...]


class UnknownFieldError(Exception):
    """A path that leads nowhere; the text says how far it led and what was probably meant."""


def description_of(model: Model) -> str:
    """The model's own words: its docstring."""
    return inspect.cleandoc(model.__doc__ or "")


def fields_of(model: Model) -> tuple[Field, ...]:
    """The fields of a model in the order they are written in."""
    return tuple(_field(info.alias or name, info) for name, info in model.model_fields.items())


def variant_of(model: Model) -> str:
    """How a member of a union is chosen: `type: MaxMessage`, or by the field that only it has, `anyOf`."""
    fields = fields_of(model)
    tag = next((field for field in fields if field.name == "type" and field.allowed), fields[0])
    return f"type: {' | '.join(tag.allowed)}" if tag.allowed else tag.name


def kind_of(name: str) -> str:
    """The kind by its name in any case, singular or plural. Raises UnknownFieldError."""
    by_fold = {kind.lower(): kind for kind in KINDS}
    found = by_fold.get(name.lower()) or by_fold.get(name.lower().removesuffix("s"))
    if found is None:
        raise UnknownFieldError(f"`{name}` is not a kind; {_near(name, KINDS)}")
    return found


def find(kind: str, path: Iterable[str]) -> Field:
    """The field at a path below a kind; of a union, that of the first variant that has it. Raises UnknownFieldError."""
    found: Field | None = None
    models: tuple[Model, ...] = (KINDS[kind],)
    at = kind
    for name in path:
        known = {field.name.lower(): field for model in reversed(models) for field in fields_of(model)}
        found = known.get(name.lower())
        if found is None:
            names = [field.name for field in known.values()]
            raise UnknownFieldError(f"`{at}` has no field `{name}`; {_near(name, names) if names else 'it is a value'}")
        models, at = found.models, f"{at}.{found.name}"
    if found is None:
        raise UnknownFieldError("a field has a name")
    return found


def _near(name: str, names: Iterable[str]) -> str:
    known = sorted(names)
    return did_you_mean(name, known) or f"there are: {', '.join(known)}"


def _field(name: str, info: FieldInfo) -> Field:
    models = tuple(dict.fromkeys(_models_in(info.annotation)))
    allowed = tuple(dict.fromkeys(_literals_in(info.annotation)))
    rules = tuple(dict.fromkeys((*_rules(info.metadata, _is_sized(info)), *_rules_in(info.annotation))))
    words = info.description or _own_words(name, allowed, models)
    return Field(name, _type_name(info.annotation), info.is_required(), _default(info), allowed, rules, words, models)


def _own_words(name: str, allowed: tuple[str, ...], models: tuple[Model, ...]) -> str:
    """A block is described by its model; the tag of a union says by itself what it does."""
    if len(allowed) == 1:
        return (
            f"`{allowed[0]}` chooses this variant." if name == "type" else f"`{allowed[0]}`, as in every such document."
        )
    return description_of(models[0]) if len(models) == 1 else ""


def _leaves(annotation: Any) -> Iterator[Any]:
    """The alternatives of a type, without Annotated, Optional and aliases."""
    if isinstance(annotation, (str, typing.ForwardRef)):  # the one recursive type
        annotation = TerminationCondition
    annotation = getattr(annotation, "__value__", annotation)
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        yield from _leaves(typing.get_args(annotation)[0])
    elif origin in (typing.Union, types.UnionType):
        for argument in typing.get_args(annotation):
            yield from _leaves(argument)
    elif annotation is not type(None):
        yield annotation


def _models_in(annotation: Any) -> Iterator[Model]:
    for leaf in _leaves(annotation):
        if isinstance(leaf, type) and issubclass(leaf, BaseModel):
            yield leaf
        elif typing.get_origin(leaf) in (list, tuple, dict):
            yield from _models_in(typing.get_args(leaf)[-1])


def _literals_in(annotation: Any) -> Iterator[str]:
    for leaf in _leaves(annotation):
        if typing.get_origin(leaf) is typing.Literal:
            yield from (value if isinstance(value, str) else json.dumps(value) for value in typing.get_args(leaf))
        elif typing.get_origin(leaf) is list:
            yield from _literals_in(typing.get_args(leaf)[0])


def _type_name(annotation: Any) -> str:
    names = list(dict.fromkeys(_leaf_name(leaf) for leaf in _leaves(annotation)))
    blocks = [leaf for leaf in _leaves(annotation) if isinstance(leaf, type) and issubclass(leaf, BaseModel)]
    return "Object" if len(blocks) == len(names) > 1 else " | ".join(names)


def _leaf_name(leaf: Any) -> str:
    origin, arguments = typing.get_origin(leaf), typing.get_args(leaf)
    if origin in (list, tuple):
        return f"[]{_type_name(arguments[0])}"
    if origin is dict:
        return f"map[string]{_type_name(arguments[1])}"
    if origin is typing.Literal:
        return _SCALARS[type(arguments[0])]
    return _SCALARS.get(leaf) or str(getattr(leaf, "__name__", leaf))


def _default(info: FieldInfo) -> str | None:
    if info.is_required():
        return None
    value = info.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return None if value in (None, PydanticUndefined, {}, []) else json.dumps(value, ensure_ascii=False)


def _is_sized(info: FieldInfo) -> bool:
    return any(typing.get_origin(leaf) in (list, dict, tuple) for leaf in _leaves(info.annotation))


def _rules_in(annotation: Any) -> Iterator[str]:
    """The limits that a type carries itself, as `Annotated[int, Field(ge=1)]` does."""
    if typing.get_origin(annotation) is typing.Annotated:
        for item in annotation.__metadata__:
            yield from _rules(item.metadata if isinstance(item, FieldInfo) else (item,), False)
    annotation = getattr(annotation, "__value__", annotation)
    if not isinstance(annotation, (str, typing.ForwardRef)) and typing.get_origin(annotation) is not typing.Literal:
        for argument in typing.get_args(annotation):
            yield from () if isinstance(argument, type) else _rules_in(argument)


def _rules(metadata: Iterable[Any], is_sized: bool) -> Iterator[str]:
    for item in metadata:
        for name, words in _LIMITS:
            if (limit := getattr(item, name, None)) is not None:
                yield f"{words} {limit:,}" if isinstance(limit, int) else f"{words} {limit:g}"
        for name, words in _SIZES:
            if (limit := getattr(item, name, None)) is not None:
                yield _size(words, limit, is_sized)
        if rule := getattr(item, "rule", None):  # a type of catalog/fields.py
            yield rule
        elif isinstance(pattern := getattr(item, "pattern", None), str):
            yield f"matches {pattern}"


def _size(words: str, limit: int, is_sized: bool) -> str:
    if (words, limit) == ("at least", 1):
        return "not empty"
    return f"{words} {limit:,} {'items' if is_sized else 'characters'}"
