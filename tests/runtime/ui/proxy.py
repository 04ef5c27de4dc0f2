"""A reverse proxy under a path prefix, as an Ingress is one; it can drop every connection, as networks do."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tests.edge.loopback import LoopbackServer

_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "date"}
_METHODS = ["GET", "POST", "PATCH", "DELETE"]


class CutError(Exception):
    """The connection is dropped here."""


class Proxy(LoopbackServer):
    """Forwards `<origin><prefix>/…` to the upstream's `/…`."""

    def __init__(self, upstream: str, prefix: str) -> None:
        super().__init__(Starlette(routes=[Route(prefix + "/{path:path}", self._forward, methods=_METHODS)]))
        self._client = httpx.AsyncClient(base_url=upstream, timeout=None)
        self._is_cut = threading.Event()
        self._prefix = prefix

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"{self.origin}{self._prefix}/"

    def cut(self) -> None:
        """Drop every connection, and refuse new ones."""
        self._is_cut.set()

    def mend(self) -> None:
        """Forward again."""
        self._is_cut.clear()

    async def _forward(self, request: Request) -> Response:
        if self._is_cut.is_set():
            return Response(status_code=502)
        target = "/" + request.path_params["path"] + (f"?{request.url.query}" if request.url.query else "")
        outgoing = self._client.build_request(
            request.method, target, headers=request.headers.raw, content=await request.body()
        )
        answer = await self._client.send(outgoing, stream=True)
        headers = {name: value for name, value in answer.headers.items() if name not in _HOP_BY_HOP}
        return StreamingResponse(self._body(answer), answer.status_code, headers)

    async def _body(self, answer: httpx.Response) -> AsyncIterator[bytes]:
        chunks = answer.aiter_raw()
        try:
            while True:
                waiting = asyncio.ensure_future(anext(chunks, None))  # type: ignore[arg-type]
                while not (await asyncio.wait([waiting], timeout=0.05))[0]:
                    if self._is_cut.is_set():
                        waiting.cancel()
                        raise CutError
                chunk = waiting.result()
                if chunk is None:
                    return
                yield chunk
        finally:
            await answer.aclose()
