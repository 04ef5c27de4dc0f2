"""What a function takes, read from its definition; and the `parameters` that a document need not repeat."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, repeat

from kagent_render.catalog.base import Problem
from kagent_render.catalog.tools.base import Parameter
from kagent_render.catalog.tools.parameters import check_parameters, is_always_given
from kagent_render.catalog.tools.python_docstring import descriptions
from kagent_render.catalog.tools.python_file import Function, ParsedFile
from kagent_render.catalog.tools.python_types import WANTED, NotTellableError, Told, told
from kagent_render.diagnostics import Span, did_you_mean

Scalar = str | int | float | bool
# A value of the first type is one of the others too.
_FITS = {"string": ("string",), "integer": ("integer", "number"), "number": ("number",), "boolean": ("boolean",)}


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument that can be given by name. `problem` is why a model cannot be told of it."""

    name: str
    span: Span
    told: Told | None
    description: str | None
    has_default: bool
    default: Scalar | None
    problem: Problem | None


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function takes. `problems` are of arguments that cannot be given by name."""

    name: str
    arguments: tuple[Argument, ...]
    takes_any: bool
    problems: tuple[Problem, ...]


def read(function: Function, file: ParsedFile) -> Signature:
    """The signature of a function, as `inspect.signature` would tell it."""
    given = function.args
    # Defaults are those of the last arguments.
    missing = len(given.posonlyargs) + len(given.args) - len(given.defaults)
    defaults = list(chain(repeat(None, missing), given.defaults))[len(given.posonlyargs) :]
    texts = descriptions(ast.get_docstring(function) or "")
    pairs = [*zip(given.args, defaults, strict=True), *zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    arguments = tuple(_argument(item, default, texts.get(item.arg), file) for item, default in pairs)
    return Signature(function.name, arguments, given.kwarg is not None, tuple(_nameless(given, file)))


def _nameless(given: ast.arguments, file: ParsedFile) -> Iterator[Problem]:
    for item in given.posonlyargs:
        message = f"`{item.arg}` can only be given by its position, and a model gives arguments by name"
        yield Problem("KR382", message, (), "remove the `/` behind it", file.span_of(item))
    if given.vararg is not None:
        message = f"`*{given.vararg.arg}` takes arguments without a name, and a model gives them by name"
        yield Problem("KR382", message, (), "name each argument", file.span_of(given.vararg))


def _argument(item: ast.arg, default: ast.expr | None, text: str | None, file: ParsedFile) -> Argument:
    found, problem = None, None
    try:
        if item.annotation is None:
            problem = Problem("KR382", f"`{item.arg}` has no type", (), WANTED, file.span_of(item))
        else:
            found = told(item.annotation, file)
    except NotTellableError as error:
        problem = Problem("KR382", f"`{item.arg}`: {error.message}", (), WANTED, file.span_of(error.node))
    description = (found.description if found else None) or text
    value = _scalar(default)
    if not _is_unicode(description or "", *(found.choices if found else ()), value if isinstance(value, str) else ""):
        message = f"`{item.arg}` is described by what is not valid Unicode"
        problem = Problem("KR382", message, (), "write the character itself", file.span_of(item))
    return Argument(item.arg, file.span_of(item), found, description, default is not None, value, problem)


def _scalar(default: ast.expr | None) -> Scalar | None:
    """A default that a model can be told of. Any other is for the function alone: the argument may be left out."""
    try:
        value = ast.literal_eval(default) if default is not None else None
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, Scalar) else None


def _is_unicode(*texts: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for text in texts for char in text)


def check_derived(signature: Signature) -> Iterator[Problem]:
    """Why the parameters cannot be taken from the signature, each at its place in the file."""
    yield from signature.problems
    for argument in signature.arguments:
        if argument.problem is not None:
            yield argument.problem
        elif argument.description is None:
            message = f"`{argument.name}` has no description, and the model reads it to fill the argument in"
            help = f'write `{argument.name}: …` below `Args:` in the docstring, or Annotated[…, "text"]'
            yield Problem("KR382", message, (), help, argument.span)
    spans = {argument.name: argument.span for argument in signature.arguments}
    for problem in check_parameters(derived(signature)):
        yield Problem(problem.code, problem.message, (), problem.help, spans[str(problem.location[1])])


def derived(signature: Signature) -> dict[str, Parameter]:
    """The parameters that a document would declare of these arguments."""
    return {
        item.name: Parameter(
            type=item.told.type,
            description=item.description,
            required=None if item.has_default else True,
            enum=list(item.told.choices) or None,
            default=item.default,
        )
        for item in signature.arguments
        if item.told is not None and item.description is not None and item.problem is None
    }


def check_declared(signature: Signature, parameters: Mapping[str, Parameter]) -> Iterator[Problem]:
    """Where the parameters of a document and the signature contradict each other."""
    yield from signature.problems
    arguments = {item.name: item for item in signature.arguments}
    for name, parameter in parameters.items():
        if name in arguments:
            yield from _check_type(arguments[name], parameter)
        elif not signature.takes_any:
            help = did_you_mean(name, arguments) or f"it takes: {', '.join(arguments) or 'nothing'}"
            yield Problem("KR382", f"`{signature.name}` does not take `{name}`", ("parameters", name), help)
    for name, argument in arguments.items():
        declared = parameters.get(name)
        if declared is None and not argument.has_default:
            help = f"declare it, or leave `parameters` out: then they are those of `{signature.name}`"
            yield Problem("KR382", f"`{signature.name}` needs `{name}`", ("parameters",), help)
        elif declared is not None and not argument.has_default and not is_always_given(declared):
            message = f"`{signature.name}` needs `{name}`, which a call may leave out"
            yield Problem("KR382", message, ("parameters", name), "add `required: true`")


def _check_type(argument: Argument, parameter: Parameter) -> Iterator[Problem]:
    if argument.told is None:
        return
    place, wanted = ("parameters", argument.name), argument.told
    if wanted.type not in _FITS[parameter.type]:
        message = f"`{argument.name}` is of type {parameter.type} here, and {wanted.type} in the function"
        yield Problem("KR382", message, (*place, "type"), f"write `type: {wanted.type}`")
    elif wanted.choices and not set(parameter.enum or [""]) <= set(wanted.choices):
        message = f"the function takes other values of `{argument.name}` than the model may give"
        yield Problem("KR382", message, (*place, "enum"), f"write `enum: [{', '.join(wanted.choices)}]`")
