"""`explain` for a kind or one of its fields, laid out as `kubectl explain` does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from kagent_render.specs.registry import API_VERSION_OF, KINDS
from kagent_render.views.spec_reference import Field, Model, description_of, fields_of, find, kind_of, variant_of

_WIDTH = 100


def explain(path: str, recursive: bool = False) -> str:
    """What `Agent` or `agent.spec.tools` is. Raises UnknownFieldError."""
    name, *below = path.split(".")
    kind = kind_of(name)
    field = find(kind, below) if below else None
    group, version = API_VERSION_OF[kind].split("/")
    lines = [f"GROUP:      {group}", f"KIND:       {kind}", f"VERSION:    {version}", ""]
    if field is None:
        lines += _block("DESCRIPTION:", description_of(KINDS[kind]))
    else:
        lines += [f"FIELD: {_heading(field)}", "", *_details(field)]
    models = field.models if field else (KINDS[kind],)
    return "\n".join([*lines, *_children(models, recursive)]).rstrip() + "\n"


def _heading(field: Field) -> str:
    return f"{field.name} <{field.type}>{' -required-' if field.required else ''}"


def _details(field: Field) -> Iterator[str]:
    yield from _block("DEFAULT:", field.default or "")
    yield from _block("ENUM:", "\n".join(field.allowed))
    yield from _block("RULES:", "\n".join(field.rules))
    about = [field.description, *(description_of(model) for model in field.models if len(field.models) == 1)]
    yield from _block("DESCRIPTION:", "\n\n".join(dict.fromkeys(text for text in about if text)))


def _block(title: str, text: str) -> Iterator[str]:
    if text:
        yield title
        yield from _indented(text, 4)
        yield ""


def _indented(text: str, indent: int) -> Iterator[str]:
    for line in text.splitlines():
        yield from (" " * indent + part for part in (wrap(line, _WIDTH - indent) or [""]))


def _children(models: Sequence[Model], recursive: bool) -> Iterator[str]:
    if len(models) > 1:
        yield "ONE OF:"
        for model in models:
            yield f"  {variant_of(model)}"
            yield from _indented(description_of(model), 4)
            yield ""
            yield from _fields(model, 4, recursive, tuple(models))
    for model in models if len(models) == 1 else ():
        yield "FIELDS:"
        yield from _fields(model, 2, recursive, (model,))


def _fields(model: Model, indent: int, recursive: bool, above: tuple[Model, ...]) -> Iterator[str]:
    for field in fields_of(model):
        yield f"{' ' * indent}{field.name}\t<{field.type}>{' -required-' if field.required else ''}"
        if recursive:
            yield from _below(field, indent + 2, above)
        else:
            yield from _indented(_first_line(field), indent + 2)
            yield ""


def _first_line(field: Field) -> str:
    line = field.description.partition("\n")[0]
    return f"{line} (default {field.default})" if field.default and len(field.default) < 40 else line


def _below(field: Field, indent: int, above: tuple[Model, ...]) -> Iterator[str]:
    """The fields of a block; of one that is being shown already, as a condition in a condition, nothing."""
    for model in field.models:
        if model not in above:
            if len(field.models) > 1:
                yield f"{' ' * indent}({variant_of(model)})"
            yield from _fields(model, indent + 2 * (len(field.models) > 1), True, (*above, *field.models))
