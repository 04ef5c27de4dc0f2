"""What the tools that call an HTTP server have in common."""

from typing import Annotated

from pydantic import Field

from kagent_runtime.model.strict import Strict
from kagent_runtime.model.tool_parameters import ToolParameters

ToolName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
VariableName = Annotated[str, Field(pattern=r"^[A-Z_][A-Z0-9_]*$")]
HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]
HeaderValue = Annotated[str, Field(pattern=r"^[\t\x20-\x7e]*$")]


class RemoteHeader(Strict):
    """A header: a value, or the variable that holds it, after `prefix`."""

    name: HeaderName
    value: HeaderValue | None = None
    env: VariableName | None = None
    prefix: HeaderValue = ""


class RemoteTls(Strict):
    """The files of a TLS connection."""

    system_cas: bool
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None


class CalledTool(Strict):
    """What every tool has that is called with declared arguments and answers within a time and a size."""

    name: ToolName
    description: str
    parameters: ToolParameters
    timeout_seconds: float = Field(gt=0)
    max_bytes: int = Field(ge=256)


class RemoteTool(CalledTool):
    """A tool that calls one server."""

    url: str = Field(pattern=r"^https?://[^\s/@{}]+(/[^\s?#]*)?$")
    headers: list[RemoteHeader]
    tls: RemoteTls | None = None
    allow_private_addresses: bool
