"""The workbench that offers tools of MCP servers to an agent: the listed ones, and no others."""

import asyncio
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from autogen_core import CancellationToken, Component
from autogen_core.tools import ParametersSchema, ToolResult, ToolSchema

from kagent_runtime.approvals import APPROVED_PREVIEW
from kagent_runtime.components.calls import CallingWorkbench, ended, result
from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.components.mcp_offers import locked_offer, offer_of, preview_of, warn_of_change
from kagent_runtime.model import McpServer, McpToolsConfig

if TYPE_CHECKING:
    import mcp_types as types

    from kagent_runtime.components.mcp_connection import Connection

_checks: set[asyncio.Task[None]] = set()


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

    async def preview(
        self, name: str, arguments: Mapping[str, Any], token: CancellationToken | None
    ) -> tuple[str | None, bool]:
        """What is sent besides the arguments, or why nothing would be; and whether that is an error."""
        server = self._servers.get(name)
        if server is None or not (server.locked or name in (server.fixed or {})):
            return None, False
        connection = _connection(server)
        answer = await ended(
            name,
            _checked(connection, name, arguments),
            seconds=server.timeout_seconds,
            limit=server.max_output_bytes,
            token=token,
            credentials=connection.credentials,
        )
        return (answer.to_text(), True) if answer.is_error else (preview_of(server, name), False)

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
    return [_schema(connection, name, known.get(name)) for name in server.allowed]


def _schema(connection: "Connection", name: str, live: "types.Tool | None") -> ToolSchema:
    server = connection.server
    if live is None:
        # A server's own words on why it fails are for the answer to a call; with a lock, none reach a description.
        silence = f"the MCP server `{server.name}` does not say what it has" if connection.failure else None
        return _missing(name, (silence if server.locked else None) or _reason(connection, name))
    warn_of_change(server, live, connection.changed)
    offer = offer_of(server, name, live)
    obstacle = offer.obstacle()
    return _missing(name, obstacle) if obstacle else offer.shown()


def _missing(name: str, reason: str) -> ToolSchema:
    parameters = ParametersSchema(type="object", properties={})
    return ToolSchema(name=name, description=f"Not available now: {reason}.", parameters=parameters)


def _reason(connection: "Connection", name: str) -> str:
    return connection.failure or f"the MCP server `{connection.server.name}` has no tool `{name}`"


async def _called(connection: "Connection", name: str, arguments: Mapping[str, Any]) -> str:
    live = await _live(connection, name)
    warn_of_change(connection.server, live, connection.changed)
    offer, approved = offer_of(connection.server, name, live), APPROVED_PREVIEW.get()
    if approved is not None and approved != preview_of(connection.server, name):
        raise ToolFailureError("not called: what is sent with it has changed since it was approved")
    answer = await connection.call(name, offer.arguments(arguments))
    text = _in_words(answer)
    if answer.is_error:
        raise ToolFailureError(text or "the tool failed and does not say why")
    return text or "done; the tool returned nothing"


async def _checked(connection: "Connection", name: str, arguments: Mapping[str, Any]) -> str:
    """Nothing; raises ToolFailureError for a call that would not be made. With a lock, no server is asked for that."""
    offer = locked_offer(connection.server, name)
    (offer or offer_of(connection.server, name, await _live(connection, name))).arguments(arguments)
    return ""


async def _live(connection: "Connection", name: str) -> "types.Tool":
    """The tool as the server has it now. Raises ToolFailureError when it does not."""
    if name not in await connection.tools():
        await connection.refresh()
    if (found := (await connection.tools()).get(name)) is None:
        raise ToolFailureError(_reason(connection, name))
    return found


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
