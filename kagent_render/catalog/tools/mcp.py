"""Tool type `mcp`: some of the tools of one MCP server, over HTTP or as a process of the pod."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from pydantic import Field

from kagent_render.catalog.base import Component, LoweredTool, Problem, component
from kagent_render.catalog.connection import ClientTls, Header
from kagent_render.catalog.fields import SpecModel, Text
from kagent_render.catalog.tools.base import Builtin, ToolDeclaration
from kagent_render.catalog.tools.mcp_choice import McpTool, names_of
from kagent_render.catalog.tools.mcp_lock import check_choices, promises
from kagent_render.catalog.tools.mcp_server import McpServer, check_server, with_server
from kagent_render.catalog.tools.remote import MAX_OUTPUT_BYTES, Needs, check_headers, check_plaintext, check_tls
from kagent_render.catalog.tools.server_variables import ServerVariable, check_variables
from kagent_render.catalog.tools.urls import check_url, endpoint_of

NAME = "mcp"
BUILTINS: dict[str, Builtin] = {}
_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")  # what every model provider accepts
# Where the fields belong; those of the other transport would be passed over in silence.
_OF_HTTP = ("url", "headers", "tls")
_OF_STDIO = ("command", "args", "env")
_NOT_WITH_SERVER = ("url", "tls", "allow_private_addresses", *_OF_STDIO)


class McpBlock(SpecModel):
    """One MCP server, and which of its tools the agent gets."""

    transport: Literal["streamable-http", "sse", "stdio"] = Field(
        default="streamable-http", description="How the server is spoken to; `sse` is the older way over HTTP."
    )
    url: Text | None = Field(default=None, description="The server's endpoint, such as http://server.tools.svc/mcp.")
    headers: list[Header] = Field(default_factory=list, description="Headers of every request.")
    tls: ClientTls | None = Field(default=None, description="How an https:// server is trusted.")
    command: Text | None = Field(default=None, description="stdio: the program, which the image must have.")
    args: list[str] = Field(default_factory=list, description="stdio: its arguments.")
    env: list[ServerVariable] = Field(
        default_factory=list, description="stdio: its environment, besides PATH and HOME. It gets nothing else."
    )
    server: McpServer | None = Field(
        default=None, description="Run the server too, from an image, in place of `url` or `command`."
    )
    tools: list[McpTool] = Field(
        min_length=1, description="The tools of the server that the agent gets: names, or `{name, arguments}`."
    )
    timeout_seconds: float = Field(default=30, gt=0, le=3600, description="One call.")
    allow_private_addresses: bool = Field(
        default=False, description="Whether the host may be on a private network; Services of the cluster always may."
    )


def check(tool: ToolDeclaration) -> Iterable[Problem]:
    """A server that cannot be reached or started, and tools that no model could call."""
    block: McpBlock | None = tool.block
    if tool.parameters is not None:
        message = "the MCP server declares the parameters of its tools"
        yield Problem("KR365", message, ("parameters",), "remove `parameters`")
    if block is None:
        yield Problem("KR102", "the block `mcp` is missing", (), "add mcp: {url: http://…, tools: […]}")
        return
    yield from _check_names(names_of(block.tools))
    yield from check_choices(tool.name, block.tools, tool.locked)
    if block.server is None:
        yield from _check_transport(block)
        return
    yield from check_server(block.server, block.transport, [name for name in _NOT_WITH_SERVER if getattr(block, name)])
    yield from check_headers(block.headers, ("mcp", "headers"), has_authorization=False)


def _check_names(names: Sequence[str]) -> Iterator[Problem]:
    for index, name in enumerate(names):
        place = ("mcp", "tools", index)
        if not _TOOL_NAME.match(name):
            help = "wanted: letters, digits, `-` and `_`, at most 64 characters"
            yield Problem("KR105", f"a model cannot call `{name}`", place, help)
        elif name in names[:index]:
            yield Problem("KR204", f"`{name}` is listed twice", place, "remove one")


def _check_transport(block: McpBlock) -> Iterator[Problem]:
    is_stdio = block.transport == "stdio"
    needed = "command" if is_stdio else "url"
    for field in _OF_HTTP if is_stdio else _OF_STDIO:
        if getattr(block, field):
            help = f"remove it, or write `transport: {'streamable-http' if is_stdio else 'stdio'}`"
            yield Problem(
                "KR361", f"`{field}` has no effect with the transport {block.transport}", ("mcp", field), help
            )
    if getattr(block, needed) is None:
        message = f"the transport {block.transport} needs `{needed}`"
        example = "command: my-server" if is_stdio else "url: http://…"
        yield Problem("KR102", message, ("mcp",), f"add {example}")
    elif is_stdio:
        yield from check_variables(block.env, ("mcp", "env"))
    else:
        yield from _check_http(block, block.url or "")


def _check_http(block: McpBlock, url: str) -> Iterator[Problem]:
    place = ("mcp", "url")
    yield from check_url(url, place, is_template=False, allows_private=block.allow_private_addresses)
    yield from check_headers(block.headers, ("mcp", "headers"), has_authorization=False)
    yield from check_tls(block.tls, url, ("mcp", "tls"))
    has_credential = any(header.secret_ref for header in block.headers)
    yield from check_plaintext(url, place, has_credential=has_credential)


def lower(tool: ToolDeclaration) -> LoweredTool:
    """How the runtime reaches the server, and what it lets through of its tools."""
    block: McpBlock = tool.block
    names = names_of(block.tools)
    needs = Needs(tool.name)
    config: dict[str, Any] = {
        "name": tool.name,
        "description": tool.description or "",
        "transport": block.transport,
        "allowed": names,
        "timeout_seconds": float(block.timeout_seconds),
        "max_output_bytes": MAX_OUTPUT_BYTES,
        **promises(block.tools, tool.locked),
    }
    if block.transport == "stdio":
        config |= {"command": block.command, "args": list(block.args), "env": _environment(block, needs)}
        return LoweredTool(tool.name, NAME, config, needs=needs.contribution(), offers=tuple(names))
    config |= {
        "url": block.url,
        "headers": [needs.header(header) for header in block.headers],
        "allow_private_addresses": block.allow_private_addresses,
    }
    if block.server is not None:
        lowered = LoweredTool(tool.name, NAME, config, needs=needs.contribution(), offers=tuple(names))
        return with_server(lowered, block.server)
    if tls := needs.tls(block.tls):
        config["tls"] = tls
    endpoint = endpoint_of(block.url or "", is_private=block.allow_private_addresses)
    return LoweredTool(tool.name, NAME, config, needs=needs.contribution(endpoint), offers=tuple(names))


def _environment(block: McpBlock, needs: Needs) -> list[dict[str, str]]:
    return [
        {"name": item.name, "env": needs.secret(f"ENV_{item.name}", item.secret_ref)}
        if item.secret_ref
        else {"name": item.name, "value": item.value or ""}
        for item in block.env
    ]


def workbench(tools: list[LoweredTool]) -> Component:
    """One workbench for all MCP servers of an agent."""
    return component("kagent_runtime.components.McpTools", "workbench", {"tools": [tool.config for tool in tools]})
