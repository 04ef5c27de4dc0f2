"""An MCP server made with the official SDK, as a process: `python -m tests.edge.mcp_server TRANSPORT [PORT]`.

Its tools say what a client has to cope with: they hang, crash the server, answer with pictures and references.
"""

# Annotations are read by the SDK, so they must be no strings.
import asyncio
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import httpx
from mcp.server import MCPServer
from mcp.server.mcpserver import Context, Image
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import EmbeddedResource, ResourceLink, TextContent, TextResourceContents, ToolAnnotations
from pydantic import BaseModel, Field

ROOT = Path(__file__).parents[2]
PATHS = {"streamable-http": "/mcp", "sse": "/sse"}


class McpServer:
    """The server over HTTP as a child process on a port that stays the same when it is started again."""

    def __init__(self, transport: str, *, port: int, log: Path) -> None:
        self.transport, self.port, self.log = transport, port, log
        self.url = f"http://127.0.0.1:{port}{PATHS[transport]}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self, **changes: str) -> None:
        """Start, or start again with changed words (see `_server`), and wait until it answers."""
        self.kill()
        command = [sys.executable, "-m", "tests.edge.mcp_server", self.transport, str(self.port)]
        environment = os.environ | {"MCP_LOG": str(self.log), "PYTHONPATH": str(ROOT)} | changes
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=quiet, stderr=quiet)
        deadline = time.monotonic() + 20
        while True:
            with suppress(httpx.HTTPError):
                httpx.get(f"http://127.0.0.1:{self.port}/nothing", timeout=1)
                return
            assert time.monotonic() < deadline, "the MCP server did not start"
            time.sleep(0.05)

    def kill(self) -> None:
        """End it, without a word to its clients."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)

    def calls(self) -> list[str]:
        """What was called, in order, since the log was made."""
        return self.log.read_text().split() if self.log.exists() else []


def _noted(what: str) -> None:
    with open(os.environ["MCP_LOG"], "a", encoding="utf-8") as file:
        file.write(what + "\n")


class Address(BaseModel):
    """An argument that is an object of its own: the SDK puts it into `$defs`."""

    street: Annotated[str, Field(description="Street and number")]
    city: str


async def add(a: int, b: int) -> int:
    """Adds two numbers."""
    _noted("add")
    return a + b


async def send(to: Address, copies: list[Address]) -> str:
    """Sends something."""
    return f"sent to {to.city}, copies to {', '.join(item.city for item in copies)}"


async def fail(reason: str) -> str:
    """Fails."""
    raise ToolError(reason)


async def hang() -> str:
    """Never answers."""
    _noted("hang")
    try:
        await asyncio.sleep(60)
    except BaseException:
        _noted("hang-cancelled")
        raise
    return "late"


async def freeze() -> str:
    """Takes the whole server with it, which then answers nobody."""
    _noted("freeze")
    time.sleep(60)
    return "late"


async def crash() -> str:
    """Ends the server."""
    _noted("crash")
    os._exit(1)


async def show() -> list[Any]:
    """Answers with more than text."""
    link = ResourceLink(type="resource_link", name="manual", uri="https://docs.example.com/manual")
    page = EmbeddedResource(type="resource", resource=TextResourceContents(uri="file:///page", text="a page"))
    return [TextContent(type="text", text="a text"), Image(data=b"x" * 300, format="png"), link, page]


async def order(tenant: str, id: int, status: Literal["open", "done"] = "open") -> str:
    """Finds an order of a tenant."""
    _noted(f"order:{tenant}:{id}:{status}")
    return f"order {id} of {tenant} is {status}"


async def large() -> str:
    """Answers at length."""
    return "x" * 200_000


async def hidden() -> str:
    """Is on no list."""
    _noted("hidden")
    return "seen"


async def environment() -> str:
    """Tells its environment."""
    return "\n".join(sorted(f"{name}={value}" for name, value in os.environ.items()))


async def headers(context: Context) -> str:
    """Tells the headers it got."""
    request = context.request_context.request
    return "\n".join(f"{name}={value}" for name, value in sorted(request.headers.items())) if request else "none"


async def process() -> int:
    """Tells its process."""
    return os.getpid()


def _server() -> MCPServer:
    server = MCPServer("under-test", version="1")
    for function in (send, fail, hang, freeze, crash, large, hidden, environment, headers):
        server.add_tool(function)
    server.add_tool(process, annotations=ToolAnnotations(read_only_hint=True))
    if "MCP_WITHOUT_ADD" not in os.environ:
        # With `{NAME}` it repeats a variable of its own.
        says = os.environ.get("MCP_ADD_SAYS", "").format_map(os.environ)
        server.add_tool(add, description=says or None)
    if "MCP_ORDER_IS_ADD" in os.environ:
        server.add_tool(add, name="order", description="Finds an order of a tenant.")
    else:
        server.add_tool(order, annotations=ToolAnnotations(destructive_hint=False))
    server.add_tool(show, structured_output=False)
    return server


if __name__ == "__main__":
    if sys.argv[1] == "stdio":
        _server().run("stdio")
    else:
        _server().run(sys.argv[1], host="127.0.0.1", port=int(sys.argv[2]))  # type: ignore[call-overload]
