"""One connection to an MCP server for the whole process, made when it is needed and again when it is lost.

The stock workbench has one for each agent instance, never reconnects, and waits five minutes for a dead server.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import time
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

import anyio
import httpx2
import mcp
import mcp_types as types
from pydantic import ValidationError

from kagent_runtime.closing import at_close
from kagent_runtime.components.credentials import Credentials
from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.components.mcp_transport import NOT_SENT, connected
from kagent_runtime.components.texts import one_line
from kagent_runtime.model import McpServer, McpStdioServer

_log = logging.getLogger(__name__)
LIST_SECONDS = 60.0  # how long a list of tools is believed
RETRY_SECONDS = 10.0  # how long a server that cannot be reached is left alone when only its list is wanted
CONNECT_SECONDS = 15.0  # a process may take its time to start
PING_SECONDS = 2.0
_PAGES = 20
# The SDK logs what it cannot parse, which is a server's output: it may hold anything.
logging.getLogger("mcp").setLevel(logging.CRITICAL)
logging.getLogger("httpx2").setLevel(logging.WARNING)
_Loop = asyncio.AbstractEventLoop
_connections: WeakKeyDictionary[_Loop, dict[str, Connection]] = WeakKeyDictionary()


class _Lost(Exception):
    """The connection is gone. `was_sent` says that the server may have got the request."""

    def __init__(self, reason: str, *, was_sent: bool) -> None:
        super().__init__(reason)
        self.was_sent = was_sent


def connection_to(server: McpServer) -> Connection:
    """The connection of this process, and this event loop, for a server's config."""
    found = _connections.setdefault(asyncio.get_running_loop(), {})
    if not found:
        at_close(_close_all)
    return found.setdefault(server.model_dump_json(), Connection(server))


async def _close_all() -> None:
    found = _connections.pop(asyncio.get_running_loop(), {})
    await asyncio.gather(*(connection.close() for connection in found.values()))


class Connection:
    """A connection, the server's tools, and why the last attempt failed."""

    def __init__(self, server: McpServer) -> None:
        self.server = server
        self.credentials = Credentials()
        self._lock = asyncio.Lock()
        self._link: _Link | None = None
        self._links: set[_Link] = set()  # with those that are still ending
        self._tools: dict[str, types.Tool] = {}
        self._listed_at = float("-inf")
        self._failed_at = float("-inf")
        self.failure: str | None = None
        self.changed: set[str] = set()  # tools of which was told that they are not as they were locked

    async def tools(self) -> dict[str, types.Tool]:
        """The server's tools by name; those of the last time when it cannot be reached, with `failure` set."""
        now = time.monotonic()
        if now - self._listed_at < LIST_SECONDS or now - self._failed_at < RETRY_SECONDS:
            return self._tools
        await self.refresh()
        return self._tools

    async def refresh(self) -> None:
        """Ask for the tools again; sets `failure` when that fails."""
        try:
            self._tools = await asyncio.wait_for(self._retried(_list), CONNECT_SECONDS)
            self._listed_at, self.failure = time.monotonic(), None
        except (ToolFailureError, TimeoutError) as error:
            self._failed_at = time.monotonic()
            self.failure = str(error) or "no answer in time"
            _log.warning("an MCP server does not list its tools", extra={"server": self.server.name})

    async def call(self, name: str, arguments: Mapping[str, Any]) -> types.CallToolResult:
        """Call a tool. Raises ToolFailureError."""

        async def call(client: mcp.Client) -> types.CallToolResult:
            return await client.call_tool(name, dict(arguments))

        answer: types.CallToolResult = await self._retried(call)
        return answer

    async def check(self) -> None:
        """After a call that took too long: let go of a server that does not answer anything."""
        link = self._link
        if link is None or not link.is_usable:
            return
        try:
            client = await link.client()
            # A ping is no part of the newer protocol.
            await asyncio.wait_for(client.list_tools(), PING_SECONDS)
        except mcp.MCPError:
            pass  # an answer, too
        except Exception:
            link.end()

    async def _retried(self, request: Any) -> Any:
        """Make the request, a second time when it certainly did not reach the server. Raises ToolFailureError."""
        try:
            return await self._once(request)
        except _Lost as lost:
            if lost.was_sent:
                raise ToolFailureError(f"{lost}; the server may or may not have carried it out") from None
        try:
            return await self._once(request)
        except _Lost as lost:
            raise ToolFailureError(str(lost)) from None

    async def _once(self, request: Any) -> Any:
        link = await self._linked()
        client = await self._client(link)
        try:
            return await request(client)
        except mcp.MCPError as error:
            raise self._explained(error, link) from None
        except ValidationError:  # its text quotes the answer
            raise ToolFailureError(f"the MCP server `{self.server.name}` does not keep to the protocol") from None
        except (anyio.ClosedResourceError, anyio.BrokenResourceError):
            link.end()
            raise _Lost("the connection was lost", was_sent=False) from None
        except RuntimeError as error:  # of a client that was closed meanwhile
            link.end()
            raise _Lost(f"the connection was lost ({type(error).__name__})", was_sent=True) from None

    async def _linked(self) -> _Link:
        async with self._lock:
            if self._link is None or not self._link.is_usable:
                if self._link is not None:
                    self._link.end()
                self._link = _Link(self.server, self.credentials, self._links)
            return self._link

    async def _client(self, link: _Link) -> mcp.Client:
        try:
            return await asyncio.wait_for(asyncio.shield(link.ready), CONNECT_SECONDS)
        except TimeoutError:
            link.end()
            raise ToolFailureError(f"the MCP server `{self.server.name}` does not answer") from None
        except Exception as error:
            raise ToolFailureError(self._why(error)) from None

    def _explained(self, error: mcp.MCPError, link: _Link) -> Exception:
        text = f"the MCP server `{self.server.name}`: {one_line(error.message)}"
        if error.code == types.CONNECTION_CLOSED or link.closed.is_set():
            link.end()
            what = "ended during the call" if isinstance(self.server, McpStdioServer) else "broke off"
            return _Lost(f"the MCP server `{self.server.name}` {what}", was_sent=True)
        if error.code == NOT_SENT or (error.code == types.INVALID_REQUEST and error.message == "Session terminated"):
            link.end()  # restarted, it knows no session of before
            return _Lost(text, was_sent=False)
        return ToolFailureError(text)

    def _why(self, error: BaseException) -> str:
        name, cause = self.server.name, _first(error)
        if isinstance(cause, ToolFailureError):
            return f"the MCP server `{name}`: {cause}"
        if isinstance(cause, mcp.MCPError):
            reason = "ended at once" if cause.code == types.CONNECTION_CLOSED else one_line(cause.message)
            return f"the MCP server `{name}`: {reason}"
        if isinstance(cause, httpx2.HTTPStatusError):
            return f"the MCP server `{name}`: HTTP {cause.response.status_code}"
        if isinstance(cause, httpx2.HTTPError):
            return f"the MCP server `{name}` cannot be reached: {one_line(str(cause)) or type(cause).__name__}"
        if isinstance(cause, OSError) and isinstance(self.server, McpStdioServer):
            return f"the MCP server `{name}` cannot be started: {self.server.command}: {cause.strerror}"
        _log.warning("an MCP server cannot be used", extra={"server": name, "error": type(cause).__name__})
        return f"the MCP server `{name}` cannot be used: {type(cause).__name__}"

    async def close(self) -> None:
        """End the connection, and the process behind it."""
        await asyncio.gather(*(link.ended() for link in tuple(self._links)))


class _Link:
    """One life of the connection, in a task of its own: the SDK's scopes must end in the task that began them."""

    def __init__(self, server: McpServer, credentials: Credentials, links: set[_Link]) -> None:
        self.closed = anyio.Event()
        self.ready: asyncio.Future[mcp.Client] = asyncio.get_running_loop().create_future()
        self.ready.add_done_callback(lambda future: future.cancelled() or future.exception())
        self._end = asyncio.Event()
        # Without the context of the run that happens to be the first: it would keep its meter and its span.
        self._task = asyncio.create_task(
            self._live(server, credentials), name=f"mcp-{server.name}", context=contextvars.Context()
        )
        links.add(self)
        self._task.add_done_callback(lambda _: links.discard(self))

    @property
    def is_usable(self) -> bool:
        """Whether a request may still get an answer through it."""
        return not (self._task.done() or self._end.is_set() or self.closed.is_set())

    async def client(self) -> mcp.Client:
        """The client, once it is connected."""
        return await asyncio.shield(self.ready)

    async def _live(self, server: McpServer, credentials: Credentials) -> None:
        try:
            async with connected(server, credentials, self.closed) as client:
                self.ready.set_result(client)
                await self._end.wait()
        except BaseException as error:
            if not self.ready.done():
                self.ready.set_exception(error if isinstance(error, Exception) else ConnectionError("closed"))
            elif isinstance(error, Exception):
                kind = type(_first(error)).__name__
                _log.info("an MCP connection ended", extra={"server": server.name, "error": kind})
            else:
                raise
        finally:
            self.closed.set()

    def end(self) -> None:
        """Have it end by itself: a process gets its time."""
        self._end.set()
        if not self.ready.done():
            self._task.cancel()

    async def ended(self) -> None:
        """End it, and wait until it has."""
        self.end()
        await asyncio.wait({self._task})


def _first(error: BaseException) -> BaseException:
    """The failure itself, out of the groups that task groups wrap it in."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _list(client: mcp.Client) -> dict[str, types.Tool]:
    found: dict[str, types.Tool] = {}
    cursor: str | None = None
    for _ in range(_PAGES):
        page = await client.list_tools(cursor=cursor)
        found |= {tool.name: tool for tool in page.tools}
        cursor = page.next_cursor
        if cursor is None:
            break
    return found
