"""The queue of a RuntimeConfig in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def in_words(queue: Mapping[str, Any]) -> str:
    """`stream tasks of Redis at redis.data.svc:6379 as group triage, 2 at once; dead after 5 deliveries`."""
    bounds = f"{queue['concurrency']} at once; dead after {queue['maxDeliveries']} deliveries"
    if queue["type"] != "redis-streams":
        return f"the table tasks of its database, {bounds}"
    tls = " with TLS" if queue.get("tls") else ""
    where = f"stream {queue['stream']} of Redis at {queue['address']}{tls} as group {queue['consumerGroup']}"
    letters = f", to stream {queue['deadLetterStream']}"
    replies = f"; results to stream {queue['replyStream']}" if queue.get("replyStream") else ""
    return f"{where}, {bounds}{letters}{replies}"
