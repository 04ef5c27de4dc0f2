"""The workbench of MCP servers: how each is reached, and which of its tools are let through."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from kagent_runtime.model.remote import RemoteHeader, RemoteTls, ToolName, VariableName
from kagent_runtime.model.strict import Component, Strict


class McpLockedTool(Strict):
    """What a model is told of a tool, whatever its server says now."""

    name: ToolName
    description: str
    input_schema: dict[str, Any]


class _Server(Strict):
    name: ToolName
    description: str
    allowed: list[ToolName] = Field(min_length=1)
    timeout_seconds: float = Field(gt=0)
    max_output_bytes: int = Field(ge=1024)
    # All of `allowed`, or none: without it a model is told what the server says.
    locked: list[McpLockedTool] | None = None
    # By tool: arguments that are always sent, and that the model neither sees nor gives.
    fixed: dict[ToolName, dict[str, Any]] | None = None


class McpHttpServer(_Server):
    """A server at a URL. `loopback_port` is that of a sidecar: the one thing on loopback that may be called."""

    transport: Literal["streamable-http", "sse"]
    url: str = Field(pattern=r"^https?://[^\s/@{}]+(/[^\s?#]*)?$")
    headers: list[RemoteHeader]
    tls: RemoteTls | None = None
    allow_private_addresses: bool
    loopback_port: int | None = Field(default=None, ge=1, le=65535)

    @model_validator(mode="after")
    def _is_at_its_port(self) -> Self:
        origin = f"http://127.0.0.1:{self.loopback_port}"
        if self.loopback_port and self.url != origin and not self.url.startswith(f"{origin}/"):
            raise ValueError("a server with `loopback_port` is at http://127.0.0.1 and that port")
        return self


class McpVariable(Strict):
    """A variable of the server's process: a value, or our own variable that holds it."""

    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    value: str | None = None
    env: VariableName | None = None


class McpStdioServer(_Server):
    """A server that is a process of ours."""

    transport: Literal["stdio"]
    command: str = Field(min_length=1)
    args: list[str]
    env: list[McpVariable]


McpServer = Annotated[McpHttpServer | McpStdioServer, Field(discriminator="transport")]


class McpToolsConfig(Strict):
    """Config of the workbench."""

    tools: list[McpServer] = Field(min_length=1)


class McpToolsComponent(Component):
    """The MCP servers of an agent."""

    provider: Literal["kagent_runtime.components.McpTools"]
    component_type: Literal["workbench"]
    config: McpToolsConfig
