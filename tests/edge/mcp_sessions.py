"""An MCP server of the protocol before 2026-07-28, written out: sessions by header, and statuses that say no."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.edge.loopback import LoopbackServer

JSON = dict[str, Any]
TOOL = {"name": "add", "inputSchema": {"type": "object", "properties": {"a": {"type": "integer"}}}}


class McpSessions(LoopbackServer):
    """Serve one tool at /mcp. `forget()` is what a restart does to sessions; `status` is answered to every call.

    `tool` is what it says of the tool, `refusal` what it says instead; `arguments` are those of the calls.
    """

    def __init__(self, *, tls: tuple[Path, Path] | None = None) -> None:
        routes = [Route("/mcp", self._serve, methods=["POST", "GET", "DELETE"])]
        super().__init__(Starlette(routes=routes), tls=tls)
        self._sessions: set[str] = set()
        self.status: int | None = None
        self.refusal: str | None = None
        self.tool: JSON = dict(TOOL)
        self.arguments: list[JSON] = []
        self.opened = self.called = 0

    def forget(self) -> None:
        """Know no session any more."""
        self._sessions.clear()

    async def _serve(self, request: Request) -> Response:
        if request.method != "POST":
            return PlainTextResponse("", 405 if request.method == "GET" else 200)
        message: JSON = await request.json()
        method = message.get("method", "")
        if method == "initialize":
            return self._opened(message)
        session = request.headers.get("mcp-session-id")
        if session is None:
            return PlainTextResponse("Bad Request: no session", 400)
        if session not in self._sessions:
            return PlainTextResponse("Not Found", 404)
        if "id" not in message:
            return Response(status_code=202)
        if self.status is not None:
            return PlainTextResponse("secret internals", self.status)
        return self._answered(message, method)

    def _opened(self, message: JSON) -> Response:
        session = uuid.uuid4().hex
        self._sessions.add(session)
        self.opened += 1
        result = {
            "protocolVersion": "2025-06-18",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "old", "version": "1"},
        }
        answer = {"jsonrpc": "2.0", "id": message["id"], "result": result}
        return JSONResponse(answer, headers={"mcp-session-id": session})

    def _answered(self, message: JSON, method: str) -> Response:
        if method == "tools/list":
            if self.refusal is not None:
                error = {"code": -32050, "message": self.refusal}
                return JSONResponse({"jsonrpc": "2.0", "id": message["id"], "error": error})
            return JSONResponse({"jsonrpc": "2.0", "id": message["id"], "result": {"tools": [self.tool]}})
        self.called += 1
        given = message["params"]["arguments"]
        self.arguments.append(given)
        result = {"content": [{"type": "text", "text": str(given["a"] + 1)}]}
        return JSONResponse({"jsonrpc": "2.0", "id": message["id"], "result": result})
