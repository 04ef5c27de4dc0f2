"""What has to be closed before the process ends: connections and child processes that runs share."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

_log = logging.getLogger(__name__)
_SECONDS = 8.0  # an MCP server gets four: two to end by itself, two after SIGTERM
_callbacks: list[Callable[[], Awaitable[None]]] = []


def at_close(callback: Callable[[], Awaitable[None]]) -> None:
    """Have something called once when the process ends."""
    if callback not in _callbacks:
        _callbacks.append(callback)


async def close_all() -> None:
    """Call everything that was registered, at once; what hangs or fails does not keep the process."""
    found = [asyncio.ensure_future(callback()) for callback in _callbacks]
    _callbacks.clear()
    if not found:
        return
    done, pending = await asyncio.wait(found, timeout=_SECONDS)
    failed = [type(task.exception()).__name__ for task in done if task.exception()]
    if pending or failed:
        _log.warning("not everything was closed", extra={"pending": len(pending), "failed": failed})
