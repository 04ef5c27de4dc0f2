"""The workbench that offers tools of MCP servers to an agent: the listed ones, and no others."""

import asyncio
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, cast

from autogen_core import CancellationToken, Component
from autogen_core.tools import ParametersSchema, ToolResult, ToolSchema

from kagent_runtime.components.calls import CallingWorkbench, ended, result
from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.model import McpServer, McpToolsConfig

if TYPE_CHECKING:
    import mcp_types as types

    from kagent_runtime.components.mcp_connection import Connection

_checks: set[asyncio.Task[None]] = set()
_NOT_KEPT = ("title", "$schema", "$id")  # of no use to a model, and refused by some providers


class McpTools(CallingWorkbench, Component[McpToolsConfig]):
    """Tools of MCP servers."""

    component_type = "workbench"
    component_config_schema = McpToolsConfig
    component_provider_override = "kagent_runtime.components.McpTools"

    def __init__(self, config: McpToolsConfig) -> None:
        self._config = config
        self._servers = {name: server for server in config.tools for name in server.allowed}

    async def list_tools(self) -> list[ToolSchema]:
        """The listed tools. One that is not to be had now is among them, and its description says so."""
        found = await asyncio.gather(*(_offered(server) for server in self._config.tools))
        return [schema for offered in found for schema in offered]

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        """Call a tool. Every failure is a result with `is_error`, in words that a model can act on."""
        server = self._servers.get(name)
        if server is None:
            return result(name, f"there is no tool `{name}`; there are: {', '.join(self._servers)}", is_error=True)
        connection = _connection(server)
        answer = await ended(
            name,
            _called(connection, name, arguments or {}),
            seconds=server.timeout_seconds,
            limit=server.max_output_bytes,
            token=cancellation_token,
            credentials=connection.credentials,
        )
        if answer.is_error and answer.to_text().startswith("no complete answer"):
            _checks.add(check := asyncio.ensure_future(connection.check()))
            check.add_done_callback(_checks.discard)
        return answer

    def _to_config(self) -> McpToolsConfig:
        return self._config

    @classmethod
    def _from_config(cls, config: McpToolsConfig) -> Self:
        return cls(config)


def _connection(server: McpServer) -> "Connection":
    # The SDK is half a second that agents without MCP servers never pay.
    from kagent_runtime.components.mcp_connection import connection_to

    return connection_to(server)


async def _offered(server: McpServer) -> list[ToolSchema]:
    connection = _connection(server)
    known = await connection.tools()
    return [_schema(known[name]) if name in known else _missing(connection, name) for name in server.allowed]


def _schema(tool: "types.Tool") -> ToolSchema:
    # Whole, with `$defs` (AutoGen's own drops them, upstream #6663).
    given = {key: value for key, value in tool.input_schema.items() if key not in _NOT_KEPT}
    parameters: dict[str, Any] = {"type": "object", "properties": {}} | given
    return ToolSchema(name=tool.name, description=tool.description or "", parameters=cast(ParametersSchema, parameters))


def _missing(connection: "Connection", name: str) -> ToolSchema:
    reason = _reason(connection, name)
    parameters = ParametersSchema(type="object", properties={})
    return ToolSchema(name=name, description=f"Not available now: {reason}.", parameters=parameters)


def _reason(connection: "Connection", name: str) -> str:
    return connection.failure or f"the MCP server `{connection.server.name}` has no tool `{name}`"


async def _called(connection: "Connection", name: str, arguments: Mapping[str, Any]) -> str:
    if name not in await connection.tools():
        await connection.refresh()
        if name not in await connection.tools():
            raise ToolFailureError(_reason(connection, name))
    answer = await connection.call(name, arguments)
    text = _in_words(answer)
    if answer.is_error:
        raise ToolFailureError(text or "the tool failed and does not say why")
    return text or "done; the tool returned nothing"


def _in_words(answer: "types.CallToolResult") -> str:
    text = "\n".join(filter(None, (_part(item) for item in answer.content)))
    if not text and answer.structured_content is not None:
        return json.dumps(answer.structured_content, ensure_ascii=False)
    return text


def _part(item: Any) -> str:
    """A piece of the answer; of what is no text, a note of what it is."""
    if item.type == "text":
        return str(item.text)
    if item.type in ("image", "audio"):
        return f"[{item.type}: {item.mime_type}, {len(item.data) * 3 // 4:,} bytes, not shown]"
    if item.type == "resource_link":
        return f"[link: {item.title or item.name} {item.uri}]"
    resource = item.resource
    if hasattr(resource, "text"):
        return str(resource.text)
    return f"[resource: {resource.uri}, {resource.mime_type or 'binary data'}, not shown]"
