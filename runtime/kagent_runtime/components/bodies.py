"""Reading the body of an answer without trusting its size: what it unpacks to is counted as it is unpacked."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import httpx

MAX_TAIL_BYTES = 64 << 20  # what is read at most to see the end of a log
_STEP = 65536


async def read_body(response: httpx.Response, limit: int, keep: Literal["head", "tail"]) -> tuple[bytes, bool]:
    """At most `limit` bytes of the body, from its start or its end, and whether it was longer. Raises ValueError."""
    kept, total = bytearray(), 0
    async for chunk in _unpacked(response):
        total += len(chunk)
        kept += chunk
        if keep == "tail":
            del kept[: max(0, len(kept) - limit)]
            if total > MAX_TAIL_BYTES:
                break
        elif len(kept) > limit:
            return bytes(kept[:limit]), True
    return bytes(kept), total > len(kept)


async def _unpacked(response: httpx.Response) -> AsyncIterator[bytes]:
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        async for chunk in response.aiter_raw(_STEP):
            yield chunk
    elif encoding in ("gzip", "x-gzip", "deflate"):
        inflater = zlib.decompressobj(47)  # gzip or zlib, by the header
        async for chunk in response.aiter_raw(_STEP):
            for piece in _inflate(inflater, chunk):
                yield piece
    else:
        raise ValueError(f"it is encoded as {encoding[:40]}, which was not asked for")


def _inflate(inflater: zlib._Decompress, chunk: bytes) -> Iterator[bytes]:
    # In steps: 64 KiB may unpack to 64 MiB.
    try:
        while chunk:
            yield inflater.decompress(chunk, _STEP)
            chunk = inflater.unconsumed_tail
    except zlib.error:
        raise ValueError("it is not the gzip that it says it is") from None
