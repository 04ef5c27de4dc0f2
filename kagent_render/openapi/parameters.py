"""Parameters in the path, the query and headers."""

from __future__ import annotations

import re

from kagent_render.openapi.draft import Draft
from kagent_render.openapi.places import NotExpressibleError, Place
from kagent_render.openapi.schemas import Schema, argument, read
from kagent_render.openapi.texts import text_of

_IN_PATH = re.compile(r"\{([^{}/]+)\}")
_STYLES = {"path": "simple", "query": "form", "header": "simple", "cookie": "form"}
_NOT_PARAMETERS = ("accept", "content-type", "authorization")  # OpenAPI: these are ignored
_BY_WORDS = {"path": "part of the path", "query": "query value"}


def add_parameters(draft: Draft) -> None:
    """Every parameter of the operation and of its path: as an argument, or with a word on why not."""
    found: dict[tuple[str, str], Place] = {}
    for owner in (draft.item, draft.place):
        try:
            for place in owner.items("parameters"):
                found[(str(place.value("in")), str(place.value("name")))] = place
        except NotExpressibleError as error:
            draft.fail(error)
    for (where, name), place in found.items():
        _add(draft, where, name, place)
    _check_path(draft, {name for where, name in found if where == "path"})


def _add(draft: Draft, where: str, name: str, place: Place) -> None:
    if where == "header" and name.lower() in _NOT_PARAMETERS:
        return
    is_required = where == "path" or place.value("required", bool) is True
    try:
        if where not in _STYLES:
            raise NotExpressibleError(f"a parameter in `{where}` is none of OpenAPI's", place)
        _place(draft, where, name, place, is_required)
    except NotExpressibleError as error:
        if is_required or error.place.location[-1:] == ("$ref",):
            message = f"the {where} parameter `{name}` is required, but {error.message}"
            draft.fail(NotExpressibleError(message if is_required else error.message, error.place, error.help))
        else:
            place.warn(f"the {where} parameter `{name}` is left out: {error.message}")


def _place(draft: Draft, where: str, name: str, place: Place, is_required: bool) -> None:
    if where == "cookie":
        raise NotExpressibleError("a cookie has no counterpart", place)
    style = place.value("style", str)
    if style not in (None, _STYLES[where]):
        raise NotExpressibleError(f"the style `{style}` has no counterpart", place)
    if place.get("content") is not None:
        raise NotExpressibleError("a value with a media type of its own has no counterpart", place)
    own = place.get("schema")
    schema = read(own) if own else Schema(place)
    if where == "header":
        _add_header(draft, name, place, schema)
        return
    if place.value("allowReserved", bool):
        place.warn(f"`allowReserved` of `{name}` is left out: reserved characters are always percent-encoded")
    text = text_of(place, "description") or text_of(schema.place, "title", "description")
    text = text or f"The {_BY_WORDS[where]} {name}"
    if place.value("deprecated", bool):
        text = f"Deprecated. {text}"
    placeholder = draft.declare(name, argument(schema, text, required=is_required))
    if where == "query":
        draft.query[name] = placeholder
    else:
        draft.path = draft.path.replace(f"{{{name}}}", f"\0{placeholder[1:-1]}\1")


def _add_header(draft: Draft, name: str, place: Place, schema: Schema) -> None:
    """A header is the same in every call: one that has only one value, or a default, can be sent."""
    parameter = argument(schema, name, required=False)
    choices = parameter.get("enum") or ([schema.plain("const")] if "const" in schema.words else [])
    value = choices[0] if len(choices) == 1 else parameter.get("default")
    if value is None:
        raise NotExpressibleError("a header is the same in every call, so no argument can set it", place)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    draft.headers.append({"name": name, "value": text})
    if len(choices) != 1:
        place.warn(f"the header `{name}` is always sent with its default `{text[:40]}`")


def _check_path(draft: Draft, declared: set[str]) -> None:
    for name in _IN_PATH.findall(draft.path):
        if name not in declared:
            draft.fail(NotExpressibleError(f"`{{{name}}}` in the path is no parameter", draft.place))
    draft.path = draft.path.replace("\0", "{").replace("\1", "}")
    for name in sorted(declared):
        if f"{{{name}}}" not in draft.item.location[-1:][0]:  # type: ignore[operator]
            draft.fail(NotExpressibleError(f"the path has no `{{{name}}}`, which is a parameter of it", draft.place))
