"""A model behind a socket that thinks for 200 ms and streams a short answer: too small to be the bottleneck.

python -m tests.benchmarks.slow_model [SECONDS]: prints its address, and serves until it is ended.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

WORDS = ["All ", "is ", "well ", "in ", "the ", "cluster", "."]


def _chunk(**delta: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "slow", "choices": [choice]}


def _stream() -> bytes:
    chunks = [_chunk(role="assistant", content=""), *(_chunk(content=word) for word in WORDS), _chunk()]
    chunks[-1]["choices"][0]["finish_reason"] = "stop"
    usage = {"prompt_tokens": 20, "completion_tokens": len(WORDS), "total_tokens": 20 + len(WORDS)}
    chunks.append(_chunk() | {"choices": [], "usage": usage})
    return b"".join(f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks) + b"data: [DONE]\n\n"


_BODY = _stream()
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: %d\r\n\r\n" % len(_BODY)


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            await reader.readexactly(length)
            await asyncio.sleep(seconds)
            writer.write(_HEAD + _BODY)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _main(seconds: float) -> None:
    server = await asyncio.start_server(lambda r, w: _serve(r, w, seconds), "127.0.0.1", 0, backlog=4096)
    host, port = server.sockets[0].getsockname()[:2]
    print(f"http://{host}:{port}/v1", flush=True)  # noqa: T201
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(float(sys.argv[1]) if len(sys.argv) > 1 else 0.2))
