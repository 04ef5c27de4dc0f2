"""The A2A SDK as our server and our client both want it: without a word of its own, and data as it was sent."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


async def loaded(load: Callable[[], T]) -> T:
    """What a function imports of the SDK, in a thread: it takes a second, in which others are answered."""
    # A span for every method of the SDK says nothing that ours do not.
    os.environ.setdefault("OTEL_INSTRUMENTATION_A2A_SDK_ENABLED", "false")
    # It logs what is sent and answered, and a traceback for each that is not valid.
    logging.getLogger("a2a").setLevel(logging.CRITICAL + 1)
    # Not in the thread: the SDK of OpenAI asks at each call whether it is loaded, and fails when half of it is.
    import httpx  # noqa: F401

    return await asyncio.to_thread(load)


def as_sent(data: Any) -> Any:
    """Data of a part, as protobuf gives it: for it every number is a float, and an object has no order."""
    if isinstance(data, dict):
        return {key: as_sent(data[key]) for key in sorted(data)}
    if isinstance(data, list):
        return [as_sent(item) for item in data]
    return int(data) if isinstance(data, float) and data.is_integer() else data
