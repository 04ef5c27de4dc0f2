"""The only Jinja import. Templates shape an object; values reach it as data and never pass through YAML.

Each `{{ expression }}` is written as a numbered placeholder; the text that results is parsed, and the values are
put in place of the placeholders. So no value can change the structure, templates need no quoting filters, and a
text that was seen before (the same shape) is not parsed again. A value of None removes its key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from jinja2.runtime import Context

from kagent_render.diagnostics import Diagnostics
from kagent_render.source import SourceFile, read_documents

_MARK = "\ue000"  # a private-use character: no template text has it
_VALUES = "_values"


class TemplateError(Exception):
    """A template failed. `line` is 1-based, 0 when unknown; or the path in the object that it gives."""

    def __init__(self, template: str, line: int | Sequence[str], message: str, code: str = "KR401") -> None:
        super().__init__(f"{template}:{line}: {message}")
        self.template, self.message, self.code = template, message, code
        self.line = line if isinstance(line, int) else _line_of_path(template, line)


class MixedScalarError(Exception):
    """A scalar of a template holds text and a value."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """A folder with templates that stand in for shipped ones, and what holds their objects to the shipped ones'."""

    folder: Path
    names: frozenset[str]
    check: Callable[[str, dict[str, Any], dict[str, Any]], None]


_overrides: ContextVar[Overrides | None] = ContextVar("overrides", default=None)


@contextmanager
def overridden(overrides: Overrides) -> Iterator[None]:
    """Use the overrides for everything that is rendered inside."""
    token = _overrides.set(overrides)
    try:
        yield
    finally:
        _overrides.reset(token)


def shown_path(name: str) -> str:
    """Where a template that is in use stands, for diagnostics."""
    overrides = _overrides.get()
    return (overrides.folder / name).as_posix() if overrides and name in overrides.names else f"templates/{name}"


@jinja2.pass_context  # a context-dependent finalizer is also not run on constants at compile time
def _placeholder(context: Context, value: Any) -> str:
    if isinstance(value, jinja2.Undefined):
        str(value)  # StrictUndefined raises here, with the variable's name
    values: list[Any] = context[_VALUES]
    values.append(value)
    return f'"{_MARK}{len(values) - 1}"'


def template_folder() -> Path:
    """The shipped templates: inside the installed package, or beside it in a source tree."""
    package = Path(__file__).resolve().parent.parent
    packaged = package / "templates"
    return packaged if packaged.is_dir() else package.parent / "templates"


@cache
def _environment() -> jinja2.Environment:
    return _configured(jinja2.Environment, (template_folder(),))


@cache
def _sandbox(folder: Path) -> jinja2.Environment:
    # The user's templates come with the specs, which in an Argo CD plugin are other people's.
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return _configured(ImmutableSandboxedEnvironment, (folder, template_folder()))


def _configured(kind: type[jinja2.Environment], folders: tuple[Path, ...]) -> jinja2.Environment:
    return kind(
        loader=jinja2.FileSystemLoader(folders),
        undefined=jinja2.StrictUndefined,
        finalize=_placeholder,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )


@cache
def _template(name: str) -> jinja2.Template:
    return _environment().get_template(name)


_shapes: dict[tuple[str, str], Any] = {}


def render(name: str, context: Mapping[str, Any]) -> dict[str, Any]:
    """Render one object from `templates/<name>`, or from the user's template of that name. Raises TemplateError."""
    overrides = _overrides.get()
    if overrides is None or name not in overrides.names:
        return _rendered(_template, name, context)
    mine = _rendered(_sandbox(overrides.folder).get_template, name, context)
    overrides.check(name, _rendered(_template, name, context), mine)
    return mine


def _rendered(load: Callable[[str], jinja2.Template], name: str, context: Mapping[str, Any]) -> dict[str, Any]:
    values: list[Any] = []
    try:
        text = load(name).render({**context, _VALUES: values})
    except jinja2.TemplateSyntaxError as error:
        raise TemplateError(name, error.lineno, error.message or "syntax error") from error
    except jinja2.TemplateError as error:
        raise TemplateError(name, _line_of(error), str(error)) from error
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        # An expression of the template's, such as a sum of a text and a number.
        raise TemplateError(name, _line_of(error), f"{type(error).__name__}: {error}") from error
    key = (name, text)
    shape = _shapes.get(key)
    if shape is None:
        shape = _shapes[key] = _parse(name, text)
    try:
        filled = _fill(shape, values)
    except MixedScalarError as error:
        raise TemplateError(name, 0, str(error)) from error
    if not isinstance(filled, dict):
        raise TemplateError(name, 0, "the result is not an object")
    return filled


def _parse(name: str, text: str) -> Any:
    found = Diagnostics()
    documents = read_documents(SourceFile(name, text), found)
    problem = next(iter(found.in_order()), None)
    if problem:
        raise TemplateError(name, problem.span.line if problem.span else 0, problem.message)
    if len(documents) != 1:
        raise TemplateError(name, 0, f"the result is {len(documents)} documents, not one")
    return documents[0].data


def _fill(shape: Any, values: list[Any]) -> Any:
    if isinstance(shape, str):
        return _value(shape, values) if _MARK in shape else shape
    if isinstance(shape, dict):
        filled = {}
        for key, item in shape.items():
            value = _fill(item, values)
            if value is not None:
                filled[_value(key, values) if _MARK in key else key] = value
        return filled
    if isinstance(shape, list):
        return [value for item in shape if (value := _fill(item, values)) is not None]
    return shape


def _value(mark: str, values: list[Any]) -> Any:
    index = mark[1:]
    if mark[0] != _MARK or not index.isdigit():
        raise MixedScalarError("text and {{ value }} are mixed; build the string inside one {{ … }}")
    return values[int(index)]


def _line_of_path(name: str, path: Sequence[str]) -> int:
    """The line of the template in use where the path leads, as far as it is written out there."""
    overrides = _overrides.get()
    folder = overrides.folder if overrides and name in overrides.names else template_folder()
    lines = (folder / name).read_text(encoding="utf-8").splitlines()
    found, margin = 0, -1
    for key in path:
        for number in range(found, len(lines)):
            indent = len(lines[number]) - len(lines[number].lstrip())
            if number > found and lines[number].strip() and indent <= margin:
                return max(found, 1)
            if indent > margin and re.match(rf"\s*{re.escape(key)}\s*:", lines[number]):
                found, margin = number + 1, indent
                break
        else:
            break
    return max(found, 1)


def _line_of(error: Exception) -> int:
    traceback, line = error.__traceback__, 0
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename.endswith(".j2"):
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line
