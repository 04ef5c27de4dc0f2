"""Signatures read from a tree against those of the really imported function, and against what Python would accept."""

from __future__ import annotations

import importlib.util
import inspect
import itertools
import tempfile
import typing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ConfigDict, TypeAdapter, ValidationError

from kagent_render.catalog.base import Problem
from kagent_render.catalog.tools import python_signature
from kagent_render.catalog.tools.parameters import schema_of
from kagent_render.catalog.tools.python_file import parse
from kagent_render.source import SourceFile
from kagent_runtime.components.arguments import checked
from kagent_runtime.model import ToolParameters

HEAD = """import typing as t
from typing import Annotated, Literal as Choice, Optional, Union
import typing_extensions

Size = Choice["s", "m"]
FEW = 3
"""
_NUMBERS = itertools.count()
# Annotations, and literals that are a default of theirs.
TYPES: dict[str, list[str]] = {
    "str": ["'a'", "'ä b'", "''"],
    "int": ["0", "-5", "12"],
    "float": ["0.5", "-1.5", "2"],
    "bool": ["True", "False"],
    "Choice['a', 'b c']": ["'a'"],
    "t.Literal['a']": ["'a'"],
    "typing_extensions.Literal['x', None]": ["'x'", "None"],
    "Size": ["'s'"],
    "Union[Choice['a'], Size]": ["'a'", "'m'"],
}
WRAPPED = ["{}", "{} | None", "None | {}", "Optional[{}]", "Union[None, {}]", "t.Optional[{}]"]
NAMES = ["cluster", "days", "a", "_b", "Size_2", "is_on", "x9"]
VALUES: list[Any] = ["a", "b c", "s", "x", "other", 0, -5, 2.5, True, False]


@dataclass(frozen=True)
class Argument:
    """One argument, as it is written."""

    name: str
    annotation: str
    default: str | None
    in_docstring: bool
    is_keyword_only: bool


@st.composite
def arguments(draw: st.DrawFn) -> list[Argument]:
    """Those of one function, in an order that Python accepts."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    found = []
    for name in names:
        kind = draw(st.sampled_from(sorted(TYPES)))
        wrapping = draw(st.sampled_from(WRAPPED))
        literals = [*TYPES[kind], *(["None"] if "{}" != wrapping else []), "FEW if FEW else None"]
        default = draw(st.one_of(st.none(), st.sampled_from(literals)))
        annotation = wrapping.format(kind)
        in_docstring = draw(st.booleans())
        if not in_docstring:
            annotation = f"Annotated[{annotation}, 7, 'The {name}.']"
        found.append(Argument(name, annotation, default, in_docstring, draw(st.booleans())))
    plain = sorted((item for item in found if not item.is_keyword_only), key=lambda item: item.default is not None)
    return [*plain, *(item for item in found if item.is_keyword_only)]


def source(items: list[Argument], *, is_async: bool, takes_any: bool) -> str:
    """A file with the function `f`."""
    plain = [_written(item) for item in items if not item.is_keyword_only]
    named = [_written(item) for item in items if item.is_keyword_only]
    parts = [*plain, *(["*", *named] if named else []), *(["**more: object"] if takes_any else [])]
    entries = [f"        {item.name} (any): The\n            {item.name}.\n" for item in items if item.in_docstring]
    docstring = f'    """Text.\n\n    Args:\n{"".join(entries)}    """\n' if entries else ""
    head = "async def" if is_async else "def"
    return f"{HEAD}\n\n{head} f({', '.join(parts)}) -> dict:\n{docstring}    return dict(locals())\n"


def _written(item: Argument) -> str:
    return f"{item.name}: {item.annotation}" + (f" = {item.default}" if item.default is not None else "")


def imported(text: str) -> Callable[..., Any]:
    """The function of the file, by Python itself."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "generated.py")
        path.write_text(text, encoding="utf-8")
        spec = importlib.util.spec_from_file_location(f"generated_{next(_NUMBERS)}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    function: Callable[..., Any] = module.f
    return function


def read(text: str) -> python_signature.Signature:
    """The signature of `f`, by the compiler."""
    parsed = parse(SourceFile("generated.py", text))
    assert not isinstance(parsed, Problem), parsed
    return python_signature.read(parsed.functions()["f"], parsed)


@given(arguments(), st.booleans(), st.booleans())
@settings(max_examples=150, deadline=None)
def test_the_signature_is_that_of_the_imported_function(items: list[Argument], is_async: bool, takes_any: bool) -> None:
    """Names and their order, which may be left out, defaults, choices and descriptions."""
    text = source(items, is_async=is_async, takes_any=takes_any)
    signature, real = read(text), inspect.signature(imported(text)).parameters
    assert list(python_signature.check_derived(signature)) == []
    assert signature.takes_any == any(item.kind is inspect.Parameter.VAR_KEYWORD for item in real.values())
    named = {name: item for name, item in real.items() if item.kind is not inspect.Parameter.VAR_KEYWORD}
    found = python_signature.derived(signature)
    assert list(found) == list(named)
    for name, item in named.items():
        assert bool(found[name].required) == (item.default is inspect.Parameter.empty)
        assert found[name].description == f"The {name}."
        if "FEW" not in str(next(one.default for one in items if one.name == name)):
            assert found[name].default == (None if item.default is inspect.Parameter.empty else item.default)


@given(arguments(), st.dictionaries(st.sampled_from([*NAMES, "no"]), st.sampled_from(VALUES)))
@settings(max_examples=400, deadline=None)
def test_the_schema_accepts_what_python_would_accept(items: list[Argument], given_: dict[str, Any]) -> None:
    """By the real annotations, read strictly: a truth value is no number. What is accepted can be called."""
    text = source(items, is_async=False, takes_any=False)
    function = imported(text)
    schema = schema_of(python_signature.derived(read(text)))
    is_accepted = jsonschema.Draft202012Validator(schema).is_valid(given_)
    assert is_accepted == _python_accepts(function, given_), (text, given_)
    if is_accepted:
        called = function(**checked("f", ToolParameters.model_validate(schema), given_))
        assert {name: called[name] for name in given_} == given_


def _python_accepts(function: Callable[..., Any], arguments: dict[str, Any]) -> bool:
    hints = typing.get_type_hints(function, include_extras=True)
    try:
        inspect.signature(function).bind(**arguments)
        for name, value in arguments.items():
            TypeAdapter(hints[name], config=ConfigDict(strict=True)).validate_python(value)
    except (TypeError, ValidationError):
        return False
    return True


@given(arguments())
@settings(max_examples=100, deadline=None)
def test_what_is_derived_may_be_declared(items: list[Argument]) -> None:
    """And then agrees with the signature that it comes from."""
    signature = read(source(items, is_async=False, takes_any=False))
    assert list(python_signature.check_declared(signature, python_signature.derived(signature))) == []
