"""`pods/exec` as the API server opens it: a websocket with a channel for each stream (v5.channel.k8s.io, KEP-4006).

Authorized twice, as `get` and then as `create`, which is what Kubernetes does since 1.35. What the commands do is up to
the test: no program is started.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request

from tests.edge.kubernetes_api import JSON, RefusedError, asked
from tests.edge.kubernetes_writes import WritableApi

Step = tuple[str, Any]
"""`("out", bytes)`, `("err", bytes)`, `half` of a frame, `("sleep", seconds)`, `("exit", code)`, `("fail", why)`."""
Programs = Callable[[list[str]], Iterable[Step]]
_STREAMS = {"out": 1, "err": 2}
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455


class ExecApi(WritableApi):
    """Runs `programs` in the containers of its pods. `handshake` is what it waits before it opens a connection."""

    def __init__(self, objects: Iterable[JSON], programs: Programs, **options: Any) -> None:
        super().__init__(objects, **options)
        self.programs, self.handshake, self.redirect = programs, 0.0, ""
        self.runs: list[tuple[str, str, list[str]]] = []
        """Pod, container and arguments of each command that was begun."""
        self.ended: list[str] = []
        """`done`, or `gone` when the caller had closed the connection before that."""
        api = self

        class Protocol(_ExecProtocol):
            server = api

        self.websockets = Protocol

    def begin(self, request: Request) -> list[str]:
        """Authorize a command and take note of it; returns its arguments. Raises RefusedError."""
        seen = asked(request)
        for verb in ("get", "create"):
            one = replace(seen, verb=verb)
            self.requests.append(one)
            self._authorize(request, one)
        if self._find(seen) is None:
            raise RefusedError(404, f'pods "{seen.name}" not found')
        argv = request.query_params.getlist("command")
        self.runs.append((seen.name, request.query_params["container"], argv))
        return argv


class _ExecProtocol(asyncio.Protocol):
    """One connection, which uvicorn hands over with the request that asks for a websocket."""

    server: ExecApi

    def __init__(self, **_: Any) -> None:
        self._is_gone, self._has_begun = False, False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._is_gone = True

    def data_received(self, data: bytes) -> None:
        if not self._has_begun:  # later ones are frames of the caller's: pongs and its close
            self._has_begun = True
            self._task = asyncio.ensure_future(self._serve(_request(data)))

    async def _serve(self, request: Request) -> None:
        await asyncio.sleep(self.server.handshake)
        if self.server.redirect:
            self._transport.write(f"HTTP/1.1 302 Found\r\nLocation: {self.server.redirect}\r\n\r\n".encode())
            return self._transport.close()
        try:
            argv = self.server.begin(request)
        except RefusedError as refused:
            body = bytes(refused.response().body)
            head = f"HTTP/1.1 {refused.code} Refused\r\nContent-Length: {len(body)}\r\n\r\n"
            self._transport.write(head.encode() + body)
            return self._transport.close()
        accept = base64.b64encode(hashlib.sha1((request.headers["sec-websocket-key"] + _GUID).encode()).digest())
        assert "v5.channel.k8s.io" in request.headers["sec-websocket-protocol"]
        head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        head += f"Sec-WebSocket-Accept: {accept.decode()}\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n"
        self._transport.write(head.encode())
        for step in self.server.programs(argv):
            await self._do(*step)
            if self._is_gone:
                break
        self.server.ended.append("gone" if self._is_gone else "done")
        self._transport.close()

    async def _do(self, what: str, value: Any) -> None:
        match what:
            case "sleep":
                await asyncio.sleep(value)
            case "half":
                self._transport.write(_frame(2, bytes([1]) + value)[: -len(value) // 2])
            case "exit" | "fail":
                self._transport.write(
                    _frame(2, b"\x03" + json.dumps(_status(what, value)).encode()) + _frame(8, b"\x03\xe8")
                )
            case _:
                self._transport.write(_frame(2, bytes([_STREAMS[what]]) + value))
        while self._transport.get_write_buffer_size() > 1 << 16 and not self._is_gone:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0)


def _request(data: bytes) -> Request:
    line, *lines = data.split(b"\r\n\r\n")[0].split(b"\r\n")
    target = urlsplit(line.split(b" ")[1].decode())
    _, _, version, _, namespace, resource, name, subresource = target.path.split("/")
    path = {"version": version, "namespace": namespace, "resource": resource, "name": name, "subresource": subresource}
    headers = [(name.strip().lower(), value.strip()) for name, _, value in (one.partition(b":") for one in lines)]
    scope = {"type": "http", "method": "GET", "path": target.path, "headers": headers, "path_params": path}
    assert parse_qs(target.query, keep_blank_values=True)["tty"] == ["false"]
    return Request(scope | {"query_string": target.query.encode(), "server": ("127.0.0.1", 0), "scheme": "http"})


def _status(what: str, value: Any) -> JSON:
    if value == 0:
        return {"metadata": {}, "status": "Success"}
    if what == "fail":
        return {"metadata": {}, "status": "Failure", "message": value, "reason": "InternalError", "code": 500}
    causes = [{"reason": "ExitCode", "message": str(value)}]
    message = f"command terminated with non-zero exit code: exit status {value}"
    return {"status": "Failure", "message": message, "reason": "NonZeroExitCode", "details": {"causes": causes}}


def _frame(opcode: int, data: bytes) -> bytes:
    """A frame as a server sends it: whole, and not masked."""
    if len(data) < 126:
        return bytes([0x80 | opcode, len(data)]) + data
    if len(data) < 1 << 16:
        return bytes([0x80 | opcode, 126]) + len(data).to_bytes(2, "big") + data
    return bytes([0x80 | opcode, 127]) + len(data).to_bytes(8, "big") + data
