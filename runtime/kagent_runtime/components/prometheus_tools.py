"""The workbench that offers prometheus tools to an agent."""

import json
from typing import Any, Self
from urllib.parse import quote, urlencode

from autogen_core import Component

from kagent_runtime.components import prometheus_operations, texts
from kagent_runtime.components.credentials import Credentials
from kagent_runtime.components.egress import Answer, Call, fetch
from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.components.remote_workbench import RemoteWorkbench
from kagent_runtime.model import PrometheusTool, PrometheusToolsConfig

# Prometheus has no paging: what is larger than this is a question too wide for a model.
MAX_ANSWER_BYTES = 8 << 20
_LONGEST_GET = 4000


class PrometheusTools(RemoteWorkbench[PrometheusTool], Component[PrometheusToolsConfig]):
    """Questions to a Prometheus."""

    component_type = "workbench"
    component_config_schema = PrometheusToolsConfig
    component_provider_override = "kagent_runtime.components.PrometheusTools"

    def __init__(self, config: PrometheusToolsConfig) -> None:
        super().__init__(config.tools)
        self._config = config

    async def _perform(self, tool: PrometheusTool, arguments: dict[str, Any], credentials: Credentials) -> str:
        async def ask(path: str, parameters: list[tuple[str, str]]) -> tuple[Any, list[str]]:
            return _data(await fetch(_call(tool, path, parameters, credentials)))

        text = await prometheus_operations.run(tool.operation, arguments, ask)
        return texts.head(credentials.redact(texts.printable(text)), tool.max_bytes)

    def _to_config(self) -> PrometheusToolsConfig:
        return self._config

    @classmethod
    def _from_config(cls, config: PrometheusToolsConfig) -> Self:
        return cls(config)


def _call(tool: PrometheusTool, path: str, parameters: list[tuple[str, str]], credentials: Credentials) -> Call:
    url, query = f"{tool.url.rstrip('/')}/api/v1/{path}", urlencode(parameters, quote_via=quote)
    headers = {"Accept": "application/json"} | credentials.headers(tool.headers)
    method, content = "GET", None
    if len(query) > _LONGEST_GET and path in ("query", "query_range", "series", "labels"):
        method, content = "POST", query.encode()
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    elif query:
        url = f"{url}?{query}"
    private = tool.allow_private_addresses
    return Call(method, url, headers, content, tool.tls, private, limit=MAX_ANSWER_BYTES)


def _data(answer: Answer) -> tuple[Any, list[str]]:
    if answer.was_cut:
        raise ToolFailureError(f"the answer is larger than {MAX_ANSWER_BYTES >> 20} MiB; aggregate, or select less")
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) or "status" not in body:
        start = texts.one_line(texts.decoded(answer), 300)
        raise ToolFailureError(f"HTTP {answer.status} from {answer.host}, not an answer of Prometheus: {start}")
    if body["status"] != "success" or answer.status >= 400:
        kind, text = body.get("errorType", "error"), texts.one_line(str(body.get("error", "")), 1000)
        raise ToolFailureError(f"Prometheus answered {kind}: {text}")
    notes = [str(note) for note in [*(body.get("warnings") or ()), *(body.get("infos") or ())]]
    return body.get("data"), notes
