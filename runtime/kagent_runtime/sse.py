"""Server-sent events with LF line ends: some clients fail on CRLF. Source: WHATWG HTML, server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from kagent_runtime.store import Event

KEEP_ALIVE_SECONDS = 15.0
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
MEDIA_TYPE = "text/event-stream"


def frame(event: Event) -> bytes:
    """One event. Live-only events have no id, so that a resume never starts from one."""
    identity = f"id: {event['seq']}\n" if "seq" in event else ""
    data = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    return f"{identity}event: {event['type']}\ndata: {data}\n\n".encode()


async def stream(events: AsyncIterator[Event], *, until_run: str | None = None) -> AsyncGenerator[bytes, None]:
    """Frames, kept alive; ends with `until_run`, if given."""
    async with aclosing(kept_alive(_frames(events, until_run))) as frames:
        async for item in frames:
            yield item


async def _frames(events: AsyncIterator[Event], until_run: str | None) -> AsyncGenerator[bytes, None]:
    try:
        async for event in events:
            yield frame(event)
            if until_run and event["type"] == "run.finished" and event["runId"] == until_run:
                return
    finally:
        await events.aclose()  # type: ignore[attr-defined]


async def kept_alive(frames: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Frames, with a comment in silence so that proxies keep the connection."""
    waiting: asyncio.Task[bytes] | None = None
    try:
        while True:
            waiting = waiting or asyncio.ensure_future(anext(frames))
            done, _ = await asyncio.wait([waiting], timeout=KEEP_ALIVE_SECONDS)
            if not done:
                yield b": keep-alive\n\n"
                continue
            try:
                item = waiting.result()
            except StopAsyncIteration:
                return
            waiting = None
            yield item
    finally:
        if waiting is not None:
            waiting.cancel()
            await asyncio.wait([waiting])
        await frames.aclose()
