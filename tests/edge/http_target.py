"""An HTTP server that answers as servers do on bad days: redirects, errors, drips, floods, bombs, broken JSON."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import threading
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.edge.loopback import LoopbackServer

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True)
class Received:
    """One request as it came over the wire."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


class HttpTarget(LoopbackServer):
    """Answers by the first part of the path; anything else is echoed as JSON."""

    def __init__(self, *, port: int = 0, tls: tuple[Path, Path] | None = None, client_ca: Path | None = None) -> None:
        self.location = ""
        self.card: Any = None  # of an A2A agent, at any path that cards have
        self.received: list[Received] = []
        self.hung_up = threading.Event()
        app = Starlette(routes=[Route("/{rest:path}", self._serve, methods=_METHODS)])
        super().__init__(app, port=port, tls=tls, client_ca=client_ca)

    async def _serve(self, request: Request) -> Response:
        raw = request.scope["raw_path"].decode("latin-1")
        query = request.scope["query_string"].decode("latin-1")
        self.received.append(Received(request.method, raw, query, dict(request.headers), await request.body()))
        if self.card is not None and raw.endswith("/.well-known/agent-card.json"):
            return JSONResponse(self.card)
        kind, _, rest = raw.lstrip("/").partition("/")
        answer = getattr(self, f"_{kind}", None) if kind.isidentifier() else None
        return await answer(request, rest) if answer else self._echoed()

    def _echoed(self) -> Response:
        last = self.received[-1]
        return JSONResponse(
            {"method": last.method, "path": last.path, "query": last.query, "headers": last.headers}
            | {"body": last.body.decode()}
        )

    async def _redirect(self, request: Request, rest: str) -> Response:
        """To `location`, with the status in the path, or 302. Beyond ASCII it is sent as UTF-8, as browsers accept."""
        location = self.location.encode().decode("latin-1")
        return Response("moved", int(rest) if rest.isdigit() else 302, {"location": location})

    async def _chain(self, request: Request, rest: str) -> Response:
        """To `location` after as many redirects to itself as the path says."""
        if int(rest) == 0:
            return await self._redirect(request, "302")
        return Response("moved", 302, {"location": f"/chain/{int(rest) - 1}"})

    async def _sse(self, request: Request, rest: str) -> Response:
        """The first event of an MCP server of the older transport: where it wants to be asked."""
        return Response(f"event: endpoint\ndata: {self.location}\n\n", media_type="text/event-stream")

    async def _status(self, request: Request, rest: str) -> Response:
        token = request.headers.get("authorization", "")
        headers = {"retry-after": "7"} if rest == "429" else {}
        return PlainTextResponse(f"no: {token} " + "x" * 5000, int(rest.partition("/")[0]), headers)

    async def _json(self, request: Request, rest: str) -> Response:
        items = [{"name": f"item {n}", "price": n} for n in range(3)]
        return JSONResponse({"data": {"items": items, "total": 3, "odd key": True}, "text": "grün"})

    async def _broken(self, request: Request, rest: str) -> Response:
        return Response('{"data": [1, 2', media_type="application/json")

    async def _html(self, request: Request, rest: str) -> Response:
        return Response("<h1>Sign in</h1>", media_type="text/html")

    async def _latin(self, request: Request, rest: str) -> Response:
        return Response("grün\x07\r\nrot".encode("latin-1"), headers={"content-type": "text/plain; charset=latin-1"})

    async def _image(self, request: Request, rest: str) -> Response:
        return Response(b"\x89PNG\x00" * 100, media_type="image/png")

    async def _nothing(self, request: Request, rest: str) -> Response:
        return Response(media_type="application/json")

    async def _nan(self, request: Request, rest: str) -> Response:
        return Response('{"data": NaN}', media_type="application/json")

    async def _empty(self, request: Request, rest: str) -> Response:
        return Response(status_code=204)

    async def _huge(self, request: Request, rest: str) -> Response:
        return StreamingResponse(self._flood(request), media_type="text/plain")

    async def _flood(self, request: Request) -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"all work and no play\n" * 1000
                await asyncio.sleep(0)  # a client that is gone would not be noticed
        finally:
            self.hung_up.set()

    async def _bomb(self, request: Request, rest: str) -> Response:
        return Response(gzip.compress(b"0" * (200 << 20), 9), headers={"content-encoding": "gzip"})

    async def _deflate(self, request: Request, rest: str) -> Response:
        return Response(zlib.compress(b"unpacked"), headers={"content-encoding": "deflate"})

    async def _brotli(self, request: Request, rest: str) -> Response:
        return Response(b"\x0b\x02\x80", headers={"content-encoding": "br"})

    async def _nogzip(self, request: Request, rest: str) -> Response:
        return Response(b"plain", headers={"content-encoding": "gzip"})

    async def _drip(self, request: Request, rest: str) -> Response:
        return StreamingResponse(self._drops(), media_type="text/plain")

    async def _drops(self) -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"."
                await asyncio.sleep(0.05)
        finally:
            self.hung_up.set()

    async def _tail(self, request: Request, rest: str) -> Response:
        return PlainTextResponse("".join(f"line {n}\n" for n in range(int(rest))))


class Trap:
    """Counts connections on a loopback port; whatever connects has got through."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        is_v6 = ":" in host
        family, both = (socket.AF_INET6, host == "::") if is_v6 else (socket.AF_INET, False)
        self._listener = socket.create_server((host, port), family=family, backlog=64, dualstack_ipv6=both)
        self.port = int(self._listener.getsockname()[1])
        self.connections = 0

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Closing alone does not wake a thread that waits in accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\nsecret")
            connection.close()


def json_of(text: str) -> Any:
    """An echoed request."""
    return json.loads(text)
