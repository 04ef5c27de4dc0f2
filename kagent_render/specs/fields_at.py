"""The models that may stand at a place in a spec: needed only to say which fields are accepted there."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from kagent_render.catalog.conditions.registry import TerminationCondition
from kagent_render.catalog.output_schema import OutputValue

_RECURSIVE = {"OutputValue": OutputValue}


def models_at(model: type[BaseModel], data: Any, location: tuple[int | str, ...]) -> list[type[BaseModel]]:
    """The models at `location` below `model`. Of a union, the members whose `type` fits the data."""
    candidates: list[Any] = [model]
    for part in location:
        data = data[part]
        candidates = [child for item in candidates for child in _step(item, part)]
    found = [leaf for item in candidates for leaf in _models_of(item)]
    return [leaf for leaf in found if _fits(leaf, data)] or found


def _step(annotation: Any, part: int | str) -> Iterator[Any]:
    for leaf in _leaves(annotation):
        if isinstance(leaf, type) and issubclass(leaf, BaseModel):
            for name, info in leaf.model_fields.items():
                if (info.alias or name) == part:
                    yield info.annotation
        elif typing.get_origin(leaf) in (list, dict):
            yield typing.get_args(leaf)[-1]


def _leaves(annotation: Any) -> Iterator[Any]:
    if isinstance(annotation, (str, typing.ForwardRef)):
        name = annotation if isinstance(annotation, str) else annotation.__forward_arg__
        annotation = _RECURSIVE.get(name.partition(" ")[0], TerminationCondition)
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        yield from _leaves(typing.get_args(annotation)[0])
    elif origin in (typing.Union, types.UnionType):
        for argument in typing.get_args(annotation):
            yield from _leaves(argument)
    else:
        yield annotation


def _models_of(annotation: Any) -> Iterator[type[BaseModel]]:
    for leaf in _leaves(annotation):
        if isinstance(leaf, type) and issubclass(leaf, BaseModel):
            yield leaf


def _fits(model: type[BaseModel], data: Any) -> bool:
    info = model.model_fields.get("type")
    if isinstance(data, dict) and info is not None:
        return data.get("type") in typing.get_args(info.annotation)
    first = next(iter(model.model_fields.values()))
    return not isinstance(data, dict) or info is not None or (first.alias in data)
