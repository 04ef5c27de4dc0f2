"""A document to Tools, one for each operation that is wanted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kagent_render.catalog.tools.registry import TOOL_TYPES
from kagent_render.diagnostics import Diagnostics, did_you_mean
from kagent_render.emit import emit
from kagent_render.openapi.answers import add_answer
from kagent_render.openapi.bodies import add_body
from kagent_render.openapi.checked import defects_of
from kagent_render.openapi.draft import Draft, Options
from kagent_render.openapi.parameters import add_parameters
from kagent_render.openapi.places import NotExpressibleError, Place, followed
from kagent_render.openapi.security import authorize
from kagent_render.openapi.servers import base_of, is_private
from kagent_render.openapi.texts import MAX_TEXT, cut, text_of, tool_name
from kagent_render.source import Document

_METHODS = ("get", "head", "post", "put", "patch", "delete")
_OTHERS = ("options", "trace", "query")
_BUILTINS = frozenset(name for kind in TOOL_TYPES.values() for name in kind.BUILTINS)


@dataclass(frozen=True, slots=True)
class Imported:
    """One Tool, as it is written."""

    name: str
    text: str


def convert(document: Document, options: Options, diagnostics: Diagnostics) -> list[Imported]:
    """The Tools, in the order of their operations. What cannot be one becomes a diagnostic."""
    root = Place(document, diagnostics, ((),))
    drafts = [draft for draft in _operations(root) if _is_wanted(draft, options)]
    if _report_unknown(root, options) or not drafts:
        if not diagnostics.has_errors:
            diagnostics.add("KR704", "the document has no operation", document.key_span_of(("paths",)))
        return []
    if "webhooks" in root.mapping:
        document_span = document.key_span_of(("webhooks",))
        diagnostics.add("KR702", "`webhooks` are left out: a tool calls, and is not called", document_span)
    found: list[Imported] = []
    taken = set(_BUILTINS)
    for draft in drafts:
        imported = _imported(draft, root, options, taken)
        if imported is not None:
            found.append(imported)
    return found


def _operations(root: Place) -> Iterator[Draft]:
    paths = root.mapping.get("paths")
    for path in paths if isinstance(paths, dict) else ():
        try:
            item = followed(root.document, root.diagnostics, ("paths", path))
            if not isinstance(item.data, dict):
                raise NotExpressibleError("what is at a path must be a mapping", item)
            for method in (name for name in (*_METHODS, *_OTHERS) if name in item.mapping):
                place = item.get(method)
                if place is None:
                    raise NotExpressibleError(f"`{method}` is empty", item)
                title = place.value("operationId", str) or f"{method.upper()} {path}"
                yield Draft(place, item, title, method.upper(), path)
        except NotExpressibleError as error:
            error.place.fail(f"the path `{path}`: {error.message}", error.help, "KR704")


def _tags_of(draft: Draft) -> set[str]:
    return {tag for tag in draft.place.value("tags", list) or () if isinstance(tag, str)}


def _is_wanted(draft: Draft, options: Options) -> bool:
    if not options.operations and not options.tags:
        return True
    return draft.title in options.operations or bool(_tags_of(draft) & set(options.tags))


def _report_unknown(root: Place, options: Options) -> bool:
    """Whether an operation or a tag was asked for that the document does not have."""
    if not options.operations and not options.tags:
        return False
    own = list(_operations(root))
    known = {
        "operation": ({draft.title for draft in own}, options.operations),
        "tag": ({tag for draft in own for tag in _tags_of(draft)}, options.tags),
    }
    is_unknown = False
    for kind, (there, wanted) in known.items():
        for name in wanted:
            if name not in there:
                is_unknown = True
                help = did_you_mean(name, there)
                root.diagnostics.add("KR704", f"the document has no {kind} `{name}`", None, help=help)
    return is_unknown


def _imported(draft: Draft, root: Place, options: Options, taken: set[str]) -> Imported | None:
    try:
        if not isinstance(draft.place.data, dict):
            raise NotExpressibleError("an operation must be a mapping", draft.place)
        if draft.method.lower() in _OTHERS:
            raise NotExpressibleError(f"{draft.method} is no method of a tool", draft.place)
        base = base_of(draft, root, options)
        add_parameters(draft)
        add_body(draft)
        authorize(draft, root, options)
        add_answer(draft)
        if draft.place.get("callbacks") is not None:
            message = f"`callbacks` of `{draft.title}` are left out: a tool calls, and is not called"
            span = draft.place.document.key_span_of((*draft.place.target, "callbacks"))
            root.diagnostics.add("KR702", message, span)
    except NotExpressibleError as error:
        draft.fail(error)
    if draft.has_failed:
        return None
    name = _name_of(draft, taken)
    data = {
        "apiVersion": "kagent.dev/v1alpha1",
        "kind": "Tool",
        "metadata": {"name": name},
        "spec": _spec(draft, base, options),
    }
    text = emit(data)
    for message, help in defects_of(name, text):
        draft.fail(NotExpressibleError(message, draft.place, help))
    return None if draft.has_failed else Imported(name, text)


def _name_of(draft: Draft, taken: set[str]) -> str:
    wanted = tool_name(draft.title.replace("{", "").replace("}", ""), ())
    name = tool_name(draft.title.replace("{", "").replace("}", ""), taken)
    taken.add(name)
    if name != wanted:
        draft.place.warn(f"`{draft.title}` becomes `{name}`: there is a tool `{wanted}` already")
    return name


def _spec(draft: Draft, base: str, options: Options) -> dict[str, Any]:
    http = {
        "method": draft.method,
        "url": f"{base}{draft.path}",
        "query": draft.query,
        "headers": draft.headers,
        "body": draft.body,
        "auth": draft.auth,
        "response": {"schema": draft.answer} if draft.answer else None,
        "allowPrivateAddresses": True if is_private(options.base_url) else None,
    }
    kept = {key: value for key, value in http.items() if value not in (None, {}, [])}
    parameters = {"parameters": draft.arguments} if draft.arguments else {}
    return {"type": "http", "description": _description(draft), **parameters, "http": kept}


def _description(draft: Draft) -> str:
    text = text_of(draft.place, "summary", "description")
    if not text:
        text = f"{draft.method} {draft.item.location[-1]}"
        draft.place.warn(f"`{draft.title}` has no summary, so the model is told `{text}`")
    if draft.place.value("deprecated", bool):
        text = f"Deprecated. {text}"
    if len(text) > MAX_TEXT:
        draft.place.warn(f"the description of `{draft.title}` is cut to {MAX_TEXT:,} characters")
    return cut(text)
