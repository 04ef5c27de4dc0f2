"""The body: a JSON object of single values, each an argument."""

from __future__ import annotations

import re
from typing import Any

from kagent_render.catalog.tools.placeholders import PLACEHOLDER
from kagent_render.openapi.draft import Draft
from kagent_render.openapi.places import NotExpressibleError, Place
from kagent_render.openapi.schemas import Schema, argument, read
from kagent_render.openapi.texts import text_of

_JSON = re.compile(r"application/(json|([a-z0-9.!#$&^_-]+)\+json)\s*(;.*)?\Z", re.IGNORECASE)
_WITHOUT = ("GET", "HEAD")


def add_body(draft: Draft) -> None:
    """The fields of the request's body as arguments, or a word on why not."""
    try:
        body = draft.place.get("requestBody")
    except NotExpressibleError as error:
        draft.fail(error)
        return
    if body is None:
        return
    if draft.method in _WITHOUT:
        body.warn(f"the body is left out: {draft.method} has none")
        return
    try:
        _add(draft, body)
    except NotExpressibleError as error:
        if body.value("required", bool) or error.place.location[-1:] == ("$ref",):
            draft.fail(NotExpressibleError(f"the body cannot be sent: {error.message}", error.place, error.help))
        else:
            body.warn(f"the body is left out: {error.message}")


def _add(draft: Draft, body: Place) -> None:
    kind, place = _json_of(body)
    own = place.get("schema")
    schema = read(own) if own else Schema(place)
    if not schema.is_object:
        raise NotExpressibleError("it is not a JSON object", schema.place)
    if not schema.properties:
        raise NotExpressibleError("it is an object of any form", schema.place)
    for name in sorted(schema.required - set(schema.properties)):
        raise NotExpressibleError(f"its field `{name}` is required, but not described", schema.place)
    fields = {name: value for name, member in schema.properties.items() if (value := _field(name, member, schema))}
    if not fields:
        raise NotExpressibleError("nothing of it is a single value", schema.place)
    draft.body = {
        name: value[1] if value[0] == "fixed" else draft.declare(name, value[1], "body_")
        for name, value in fields.items()
    }
    if kind != "application/json":
        draft.headers.append({"name": "Content-Type", "value": kind})
    more = schema.words.get("additionalProperties")
    if more is not None and more.data is not False:
        more.warn("fields of the body that the schema does not name cannot be given")


def _json_of(body: Place) -> tuple[str, Place]:
    content = list(body.fields("content"))
    for kind, place in sorted(content, key=lambda item: not item[0].lower().startswith("application/json")):
        if is_json(kind) or kind == "*/*":
            return ("application/json" if kind == "*/*" else kind.partition(";")[0].strip().lower()), place
    kinds = ", ".join(kind for kind, _ in content) or "of no media type"
    raise NotExpressibleError(f"it is {kinds}, and only JSON is sent", body)


def is_json(kind: str) -> bool:
    """Whether a media type is one of JSON."""
    return _JSON.match(kind) is not None


def _field(name: str, place: Place, body: Schema) -> tuple[str, Any] | None:
    """What is sent for a field: a fixed value or an argument; None when it is left out."""
    is_required = name in body.required
    try:
        schema = read(place)
        if schema.plain("readOnly") is True:
            return None
        if is_required and schema.plain("const") is not None:
            return "fixed", _literal(schema.plain("const"))
        text = text_of(schema.place, "title", "description") or f"The field {name} of the body"
        return "argument", argument(schema, text, required=is_required)
    except NotExpressibleError as error:
        if is_required or error.place.location[-1:] == ("$ref",):
            message = f"its field `{name}` is required, but {error.message}"
            raise NotExpressibleError(message, error.place, error.help) from None
        place.warn(f"the field `{name}` of the body is left out: {error.message}")
        return None


def _literal(value: Any) -> Any:
    """A value as a template that stands for itself."""
    if isinstance(value, str):
        return PLACEHOLDER.sub(lambda match: f"{{{match[0]}}}" if match[1] else match[0], value)
    return value
