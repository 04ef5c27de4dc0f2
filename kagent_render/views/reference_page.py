"""The reference page: every kind and field, as Markdown, from the same records as `explain`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kagent_render.specs.registry import API_VERSION_OF, KINDS
from kagent_render.views.spec_reference import Field, Model, description_of, fields_of, variant_of

_HEAD = """# Reference

Every kind and field, as `kagent-render explain KIND.FIELD` tells them. Written by `kagent-render schema --markdown`.
A field in **bold** is required; the default of any other is given, or it is absent.
"""


@dataclass(frozen=True, slots=True)
class _Section:
    """A block of a kind: its path and the model, or the variants, that describe it."""

    path: str
    models: tuple[Model, ...]


def reference_page() -> str:
    """The whole page."""
    index = "\n".join(f"- [{kind}](#{kind.lower()}): {_first_sentence(KINDS[kind])}" for kind in KINDS)
    return "\n".join([_HEAD, index, "", *(line for kind in KINDS for line in _kind(kind))]).rstrip() + "\n"


def _first_sentence(model: Model) -> str:
    return description_of(model).partition("\n")[0]


def _kind(kind: str) -> Iterator[str]:
    sections = list(_sections(kind))
    places: dict[tuple[Model, ...], str] = {}
    for section in sections:
        places.setdefault(section.models, section.path)
    yield from (f"## {kind}", "", f"`apiVersion: {API_VERSION_OF[kind]}`", "", description_of(KINDS[kind]), "")
    for section in sections:
        if section.path != kind:
            yield from (f"### {section.path}", "")
        for model in section.models:
            yield from _model(section, model, places)


def _sections(kind: str) -> Iterator[_Section]:
    """The blocks of a kind, each once, in the order a reader meets them."""
    seen: set[tuple[Model, ...]] = set()
    waiting = [_Section(kind, (KINDS[kind],))]
    while waiting:
        section = waiting.pop(0)
        if section.models in seen:
            continue
        seen.add(section.models)
        yield section
        nested = [field for model in section.models for field in fields_of(model) if field.models]
        waiting = [_Section(f"{section.path}.{field.name}{_mark(field)}", field.models) for field in nested] + waiting


def _mark(field: Field) -> str:
    return "[]" if field.type.startswith("[]") else "{}" if field.type.startswith("map") else ""


def _model(section: _Section, model: Model, places: dict[tuple[Model, ...], str]) -> Iterator[str]:
    if len(section.models) > 1:
        yield from (f"#### `{variant_of(model)}`", "")
    if "." in section.path:
        yield from (_text(description_of(model)), "")
    yield from ("| field | type | default | description |", "|---|---|---|---|")
    for field in fields_of(model):
        yield f"| {_name(field)} | {_type(field, places)} | {_default(field)} | {_description(field)} |"
    yield ""


def _name(field: Field) -> str:
    return f"**`{field.name}`**" if field.required else f"`{field.name}`"


def _type(field: Field, places: dict[tuple[Model, ...], str]) -> str:
    place = places.get(field.models)
    shown = field.type.replace("|", "or")
    return f"[{shown}](#{_anchor(place)})" if place else shown


def _anchor(heading: str) -> str:
    """As GitHub makes it: lower case, without punctuation."""
    return "".join(char for char in heading.lower() if char.isalnum() or char in "-_")


def _default(field: Field) -> str:
    return f"`{_text(field.default)}`" if field.default else ""


def _description(field: Field) -> str:
    allowed = f"One of {', '.join(f'`{value}`' for value in field.allowed)}." if len(field.allowed) > 1 else ""
    only = f"Always `{field.allowed[0]}`." if len(field.allowed) == 1 else ""
    rules = [f"{rule[0].upper()}{rule[1:]}." if rule[0].islower() else f"{rule}." for rule in field.rules]
    return _text(" ".join(part for part in (" ".join(field.description.split()), allowed, only, *rules) if part))


def _text(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;") if "`" not in text else text.replace("|", "\\|")
