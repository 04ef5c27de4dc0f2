"""The request of an http tool with its arguments filled in, so that none leaves its place."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote, unquote, urlencode

from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.model import HttpTool

# As in the compiler: `{name}` is an argument, `{{name}}` the text `{name}`.
_PLACEHOLDER = re.compile(r"\{\{([A-Za-z_][A-Za-z0-9_-]*)\}\}|\{([A-Za-z_][A-Za-z0-9_-]*)\}")
_ABSENT = object()
Arguments = dict[str, Any]


def url_of(tool: HttpTool, arguments: Arguments) -> str:
    """The URL with its query. Raises ToolFailureError for a value that would change the path."""
    origin, _, path = tool.url.partition("://")
    host, _, rest = path.partition("/")
    segments = [_segment(tool, segment, arguments) for segment in rest.split("/")]
    pairs = [(item.name, value) for item in tool.query if (value := _query(item.value, arguments)) is not None]
    query = urlencode(pairs, quote_via=quote, safe="")
    return f"{origin}://{host}/{'/'.join(segments)}{'?' if query else ''}{query}"


def _segment(tool: HttpTool, template: str, arguments: Arguments) -> str:
    def fill(match: re.Match[str]) -> str:
        if match[1]:
            return quote(f"{{{match[1]}}}", safe="")
        name = match[2]
        value = _text(arguments[name])
        # The values of an enum were written by whoever wrote the spec, and reviewed.
        if not tool.parameters.properties[name].enum:
            _check_path_value(name, value)
        return quote(value, safe="")

    filled = _PLACEHOLDER.sub(fill, template)
    if filled != template and unquote(filled).partition(";")[0].strip() in ("", ".", ".."):
        raise ToolFailureError("an argument would change the path of the request")
    return filled


def _check_path_value(name: str, value: str) -> None:
    """Servers and proxies decode once more than they should: neither form of a separator gets through."""
    decoded = unquote(unquote(value))
    if not value.strip() or any(char in decoded for char in "/\\") or any(ord(char) < 32 for char in decoded):
        raise ToolFailureError(f"`{name}` must be one part of a path: not empty, without `/` and `\\`")
    if decoded.split(";")[0].strip() in (".", ".."):
        raise ToolFailureError(f"`{name}` cannot be `{decoded[:20]}`")


def _query(template: str, arguments: Arguments) -> str | None:
    value = _filled(template, arguments)
    return None if value is _ABSENT else _text(value)


def body_of(tool: HttpTool, arguments: Arguments) -> bytes | None:
    """The JSON body, without the fields whose arguments were left out."""
    if tool.body is None:
        return None
    return json.dumps(_json(tool.body, arguments), ensure_ascii=False).encode()


def _json(template: Any, arguments: Arguments) -> Any:
    if isinstance(template, str):
        return _filled(template, arguments)
    if isinstance(template, dict):
        filled = {name: _json(item, arguments) for name, item in template.items()}
        return {name: value for name, value in filled.items() if value is not _ABSENT}
    if isinstance(template, list):
        return [value for item in template if (value := _json(item, arguments)) is not _ABSENT]
    return template


def _filled(template: str, arguments: Arguments) -> Any:
    whole = _PLACEHOLDER.fullmatch(template)
    if whole and whole[2]:
        return arguments.get(whole[2], _ABSENT)
    return _PLACEHOLDER.sub(lambda match: f"{{{match[1]}}}" if match[1] else _text(arguments[match[2]]), template)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
