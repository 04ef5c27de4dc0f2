"""HTTP for the A2A SDK's client: its requests go where JudgedTransport lets them, its answers have a size.

The SDK is written for httpx, our transport for httpx2; and the SDK reads an answer, or an event, however long it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import httpx2

from kagent_runtime.components import texts
from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.components.judged_transport import JudgedTransport

MAX_BYTES = 4 << 20  # of one answer, or one event of a stream
_DETAIL_BYTES = 4096
# httpx ends a line at these, as `str.splitlines` does; in an event they are characters of a JSON string.
_NO_LINE_ENDS = {char.encode(): f"\\u{ord(char):04x}".encode() for char in "\x85\u2028\u2029"}


class RefusedError(ToolFailureError):
    """An answer of HTTP that is none of the protocol."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class GuardedTransport(httpx.AsyncBaseTransport):
    """Raises RefusedError for a status that is no success, and what httpx2 and JudgedTransport raise."""

    def __init__(self, judged: JudgedTransport) -> None:
        self._judged = judged

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request."""
        sent = httpx2.Request(
            request.method,
            str(request.url),
            headers=request.headers.raw,
            content=await request.aread(),
            extensions=request.extensions,
        )
        sent.headers["accept-encoding"] = "identity"  # what an answer unpacks to has no size that could be known
        answer = await self._judged.handle_async_request(sent)
        body = _Body(answer, sent.url.host)
        try:
            await _check(answer, body, sent.url.host)
        except BaseException:
            await body.aclose()
            raise
        return httpx.Response(answer.status_code, headers=answer.headers.raw, stream=body)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._judged.aclose()


async def _check(answer: httpx2.Response, body: _Body, host: str) -> None:
    status = answer.status_code
    if 300 <= status < 400:
        raise RefusedError(status, f"{host} redirects with HTTP {status}, which is not followed")
    if status >= 300:
        raise RefusedError(status, f"the agent answered HTTP {status}: {texts.one_line(await body.start(), 200)}")
    encoding = answer.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise ToolFailureError(f"{host} encodes its answer as {encoding[:40]}, which was not asked for")


class _Body(httpx.AsyncByteStream):
    """The body, which ends the call when it is too long."""

    def __init__(self, answer: httpx2.Response, host: str) -> None:
        self._answer, self._host, self._size = answer, host, 0
        self._queue: asyncio.Queue[bytes | Exception] = asyncio.Queue(maxsize=16)
        # A task can be ended at any place. A generator that is left half read is closed by the garbage collector, and
        # those of httpcore in the wrong order.
        self._reading = asyncio.create_task(self._read())
        self._is_stream = answer.headers.get("content-type", "").lower().startswith("text/event-stream")

    async def _read(self) -> None:
        try:
            async for chunk in self._answer.aiter_raw():
                await self._queue.put(chunk)
            await self._queue.put(b"")
        except Exception as error:
            await self._queue.put(error)

    async def _chunks(self) -> AsyncIterator[bytes]:
        while item := await self._queue.get():
            if isinstance(item, Exception):
                raise item
            yield item

    async def start(self) -> str:
        """What it says, in so far as a person would read it."""
        found = b""
        async for chunk in self._chunks():
            found += chunk[:_DETAIL_BYTES]
            if len(found) >= _DETAIL_BYTES:
                break
        return found[:_DETAIL_BYTES].decode("utf-8", "replace")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        held: list[bytes] = []  # of a line that has not ended
        async for chunk in self._chunks():
            self._count(len(chunk))
            if not self._is_stream:
                yield chunk
                continue
            first, *rest = chunk.split(b"\n")
            held.append(first)
            for part in rest:
                yield self._line(b"".join(held))
                held = [part]
        if any(held):
            yield self._line(b"".join(held))

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > MAX_BYTES:
            raise ToolFailureError(f"{self._host} sends more than {MAX_BYTES >> 20} MiB at once")

    def _line(self, line: bytes) -> bytes:
        if not line.strip(b"\r"):
            self._size = 0  # the end of an event
        for found, escaped in _NO_LINE_ENDS.items():
            line = line.replace(found, escaped)
        return line + b"\n"

    async def aclose(self) -> None:
        """Close the connection of this answer, which need not have been read to its end."""
        self._reading.cancel()
        await asyncio.wait([self._reading])
        await self._answer.aclose()
