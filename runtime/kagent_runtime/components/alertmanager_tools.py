"""The workbench that offers alertmanager tools to an agent."""

import json
from typing import Any, Self
from urllib.parse import quote, urlencode

from autogen_core import Component

from kagent_runtime.components import alertmanager_operations, texts
from kagent_runtime.components.credentials import Credentials
from kagent_runtime.components.egress import Call, fetch
from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.components.remote_workbench import RemoteWorkbench
from kagent_runtime.model.alertmanager_tools import AlertmanagerTool, AlertmanagerToolsConfig

MAX_ANSWER_BYTES = 8 << 20  # Alertmanager has no paging


class AlertmanagerTools(RemoteWorkbench[AlertmanagerTool], Component[AlertmanagerToolsConfig]):
    """Alerts and silences."""

    component_type = "workbench"
    component_config_schema = AlertmanagerToolsConfig
    component_provider_override = "kagent_runtime.components.AlertmanagerTools"

    def __init__(self, config: AlertmanagerToolsConfig) -> None:
        super().__init__(config.tools)
        self._config = config

    async def _perform(self, tool: AlertmanagerTool, arguments: dict[str, Any], credentials: Credentials) -> str:
        # What a new silence does is in its arguments; which alerts match it now may well have changed.
        if tool.operation == "expire_silence":
            self._confirm(await self._preview(tool, arguments, credentials), credentials)
        text = await alertmanager_operations.run(tool, arguments, _ask(tool, credentials))
        return texts.head(credentials.redact(texts.printable(text)), tool.max_bytes)

    def _is_change(self, tool: AlertmanagerTool) -> bool:
        return tool.operation in alertmanager_operations.CHANGES

    async def _preview(self, tool: AlertmanagerTool, arguments: dict[str, Any], credentials: Credentials) -> str:
        return await alertmanager_operations.preview(tool, arguments, _ask(tool, credentials))

    def _to_config(self) -> AlertmanagerToolsConfig:
        return self._config

    @classmethod
    def _from_config(cls, config: AlertmanagerToolsConfig) -> Self:
        return cls(config)


def _ask(tool: AlertmanagerTool, credentials: Credentials) -> alertmanager_operations.Ask:
    async def ask(method: str, path: str, query: list[tuple[str, str]], body: Any = None) -> Any:
        url = f"{tool.url.rstrip('/')}/api/v2/{path}" + (f"?{urlencode(query, quote_via=quote)}" if query else "")
        headers = {"Accept": "application/json"} | credentials.headers(tool.headers)
        content = None
        if body is not None:
            headers["Content-Type"], content = "application/json", json.dumps(body).encode()
        # A redirect would have a change made twice, or lost.
        redirects = 5 if method == "GET" else 0
        call = Call(
            method,
            url,
            headers,
            content,
            tool.tls,
            tool.allow_private_addresses,
            limit=MAX_ANSWER_BYTES,
            max_redirects=redirects,
        )
        answer = await fetch(call)
        if answer.was_cut:
            raise ToolFailureError(f"the answer is larger than {MAX_ANSWER_BYTES >> 20} MiB; match less")
        text = texts.decoded(answer)
        if answer.status >= 300:
            raise ToolFailureError(f"HTTP {answer.status} from {answer.host}: {texts.one_line(text, 500)}")
        if not text.strip():
            return None
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            start = texts.one_line(text, 300)
            raise ToolFailureError(f"{answer.host} does not answer as Alertmanager does: {start}") from None

    return ask
