"""The only Jinja import. Templates shape an object; values reach it as data and never pass through YAML.

Each `{{ expression }}` is written as a numbered placeholder; the text that results is parsed, and the values are
put in place of the placeholders. So no value can change the structure, templates need no quoting filters, and a
text that was seen before (the same shape) is not parsed again. A value of None removes its key.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    """A template failed. `line` is 1-based, 0 when unknown."""

    def __init__(self, template: str, line: int, message: str) -> None:
        super().__init__(f"{template}:{line}: {message}")
        self.template, self.line, self.message = template, line, message


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
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(template_folder()),
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
    """Render one object from `templates/<name>`. Raises TemplateError."""
    values: list[Any] = []
    try:
        text = _template(name).render({**context, _VALUES: values})
    except jinja2.TemplateSyntaxError as error:
        raise TemplateError(name, error.lineno, error.message or "syntax error") from error
    except jinja2.TemplateError as error:
        raise TemplateError(name, _line_of(error), str(error)) from error
    key = (name, text)
    shape = _shapes.get(key)
    if shape is None:
        shape = _shapes[key] = _parse(name, text)
    filled = _fill(shape, values)
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
        raise TemplateError("", 0, "text and {{ value }} are mixed; build the string inside one {{ … }}")
    return values[int(index)]


def _line_of(error: Exception) -> int:
    traceback, line = error.__traceback__, 0
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename.endswith(".j2"):
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line
