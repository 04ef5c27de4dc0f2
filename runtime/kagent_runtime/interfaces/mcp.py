"""MCP over streamable HTTP: the agent as one tool. The SDK is imported at the first request.

Stateless, so that any replica answers any request; a server without a stream of its own answers GET with 405.
Source: MCP specification, "Streamable HTTP".
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from kagent_runtime.closing import at_close

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

PATH = "/mcp"


class Endpoint:
    """The ASGI application at `/mcp`."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._starting: asyncio.Task[StreamableHTTPSessionManager] | None = None
        self._ended = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if self._starting is None:
            self._starting = asyncio.ensure_future(self._start())
        manager = await asyncio.shield(self._starting)
        await manager.handle_request(scope, receive, send)

    async def _start(self) -> StreamableHTTPSessionManager:
        manager = await asyncio.to_thread(self._load)
        ready = asyncio.Event()

        async def serve() -> None:
            # Entered and left in one task, as its cancel scopes must be.
            async with manager.run():
                ready.set()
                await self._ended.wait()

        self._serving = asyncio.create_task(serve(), name="mcp")
        at_close(self._stop)
        await ready.wait()
        return manager

    async def _stop(self) -> None:
        self._ended.set()
        if self._serving is not None:
            with suppress(asyncio.CancelledError):
                await self._serving

    def _load(self) -> StreamableHTTPSessionManager:
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        from kagent_runtime.interfaces.mcp_tool import server

        state = self._app.state
        return StreamableHTTPSessionManager(server(state.loaded, state.sessions, state.store), stateless=True)


def install(app: FastAPI) -> None:
    """Add the endpoint."""
    app.router.routes.append(Route(PATH, endpoint=Endpoint(app), methods=["POST"], include_in_schema=False))
