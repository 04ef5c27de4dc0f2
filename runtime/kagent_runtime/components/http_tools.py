"""The workbench that offers http tools to an agent."""

import json
from typing import Any, Self

from autogen_core import Component

from kagent_runtime.components import http_templates, texts
from kagent_runtime.components.credentials import Credentials
from kagent_runtime.components.egress import Answer, Call, fetch
from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.components.remote_workbench import RemoteWorkbench
from kagent_runtime.components.selection import select, shown
from kagent_runtime.model import HttpTool, HttpToolsConfig

# What is read of an answer of which only a part is selected: it has to be whole to be parsed.
MAX_PARSED_BYTES = 4 << 20
MAX_ERROR_BYTES = 2000
_SPARE = 4096  # read more than is shown, so that no secret is cut before it is found
_TOLD = ("content-type", "content-length", "last-modified", "etag", "location")


class HttpTools(RemoteWorkbench[HttpTool], Component[HttpToolsConfig]):
    """Requests that the specs wrote out."""

    component_type = "workbench"
    component_config_schema = HttpToolsConfig
    component_provider_override = "kagent_runtime.components.HttpTools"

    def __init__(self, config: HttpToolsConfig) -> None:
        super().__init__(config.tools)
        self._config = config

    async def _perform(self, tool: HttpTool, arguments: dict[str, Any], credentials: Credentials) -> str:
        call = _call(tool, arguments, credentials)
        answer = await fetch(call)
        if answer.status >= 400:
            raise ToolFailureError(_failure(answer, credentials))
        if not answer.body or tool.method == "HEAD":
            return _without_body(answer, credentials)
        if tool.select is None:
            return _shown(texts.decoded(answer), answer.was_cut, tool.max_bytes, credentials)
        return _shown(_selected(answer, tool.select), False, tool.max_bytes, credentials)

    def _to_config(self) -> HttpToolsConfig:
        return self._config

    @classmethod
    def _from_config(cls, config: HttpToolsConfig) -> Self:
        return cls(config)


def _call(tool: HttpTool, arguments: dict[str, Any], credentials: Credentials) -> Call:
    content = http_templates.body_of(tool, arguments)
    headers = {"Content-Type": "application/json"} if content is not None else {}
    headers = _merged(headers, credentials.headers(tool.headers))
    if tool.basic:
        headers["Authorization"] = credentials.basic(tool.basic.username, tool.basic.password_env)
    return Call(
        tool.method,
        http_templates.url_of(tool, arguments),
        headers,
        content,
        tool.tls,
        tool.allow_private_addresses,
        limit=MAX_PARSED_BYTES if tool.select is not None else tool.max_bytes + _SPARE,
    )


def _merged(defaults: dict[str, str], headers: dict[str, str]) -> dict[str, str]:
    given = {name.lower() for name in headers}
    return {name: value for name, value in defaults.items() if name.lower() not in given} | headers


def _status(answer: Answer) -> str:
    return f"HTTP {answer.status} {texts.printable(answer.reason)}".rstrip()


def _failure(answer: Answer, credentials: Credentials) -> str:
    body = _shown(texts.decoded(answer), answer.was_cut, MAX_ERROR_BYTES, credentials)
    later = answer.headers.get("retry-after")
    again = f"; try again after {later[:60]}" + (" s" if later.isdigit() else "") if later else ""
    return f"{_status(answer)} from {answer.host}{again}" + (f"\n{body}" if body.strip() else "")


def _without_body(answer: Answer, credentials: Credentials) -> str:
    told = [f"{name}: {answer.headers[name][:200]}" for name in _TOLD if name in answer.headers]
    return credentials.redact("\n".join([_status(answer), *told]))


def _shown(text: str, was_cut: bool, limit: int, credentials: Credentials) -> str:
    return texts.head(credentials.redact(text, was_cut=was_cut), limit, was_cut=was_cut)


def _selected(answer: Answer, steps: list[str | int]) -> str:
    if answer.was_cut:
        raise ToolFailureError(f"the answer is larger than {MAX_PARSED_BYTES >> 20} MiB; narrow the request")
    try:
        data = json.loads(answer.body)
    except (ValueError, RecursionError):
        kind = texts.content_type(answer) or "no content type"
        start = texts.one_line(texts.decoded(answer), 200)
        raise ToolFailureError(f"the answer is not JSON ({kind}): {start}") from None
    return texts.printable(shown(select(data, steps)))
