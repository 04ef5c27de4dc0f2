"""The workbench that offers http tools to an agent."""

import json
from typing import Any, Self

from autogen_core import Component

from kagent_runtime import output_check
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
_EMPTY = (204, 205)
_UNFIT = "the answer is not as `response.schema` says:"
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
            _check_empty(tool, answer)
            return _without_body(answer, credentials)
        if not _is_parsed(tool):
            return _shown(texts.decoded(answer), answer.was_cut, tool.max_bytes, credentials)
        return _shown(_selected(answer, tool), False, tool.max_bytes, credentials)

    def _to_config(self) -> HttpToolsConfig:
        return self._config

    @classmethod
    def _from_config(cls, config: HttpToolsConfig) -> Self:
        return cls(config)


def _call(tool: HttpTool, arguments: dict[str, Any], credentials: Credentials) -> Call:
    content = http_templates.body_of(tool, arguments)
    headers = {"Content-Type": "application/json"} if content is not None else {}
    if tool.answer_schema is not None:
        headers["Accept"] = "application/json, application/*+json;q=0.9, */*;q=0.1"
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
        limit=MAX_PARSED_BYTES if _is_parsed(tool) else tool.max_bytes + _SPARE,
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


def _is_parsed(tool: HttpTool) -> bool:
    return tool.select is not None or tool.answer_schema is not None


def _check_empty(tool: HttpTool, answer: Answer) -> None:
    """A status that says there is no content is an answer of its own; any other one lacks what it should have."""
    if tool.answer_schema is not None and answer.status not in _EMPTY:
        raise ToolFailureError(f"{_status(answer)}: {_UNFIT} it is empty")


def _selected(answer: Answer, tool: HttpTool) -> str:
    if answer.was_cut:
        raise ToolFailureError(f"the answer is larger than {MAX_PARSED_BYTES >> 20} MiB; narrow the request")
    strict = output_check.no_constant if tool.answer_schema is not None else None
    try:
        data = json.loads(answer.body, parse_constant=strict)
    except (ValueError, RecursionError):
        kind = texts.content_type(answer) or "no content type"
        # What was to be checked is not shown unchecked.
        start = "" if tool.answer_schema is not None else f": {texts.one_line(texts.decoded(answer), 200)}"
        raise ToolFailureError(f"the answer is not JSON ({kind}){start}") from None
    value = select(data, tool.select or [])
    if tool.answer_schema is not None:
        _check(value, tool.answer_schema.model_dump(exclude_none=True))
    return texts.printable(shown(value))


def _check(value: Any, schema: dict[str, Any]) -> None:
    try:
        output_check.check(value, schema)
    except output_check.NotOfTheSchemaError as error:
        raise ToolFailureError(f"{_UNFIT} {error}") from None
    except RecursionError:
        raise ToolFailureError(f"{_UNFIT} it is nested too deep") from None
