"""Live events to whoever listens. A listener that cannot keep up is dropped; it resumes from the log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager

from kagent_runtime.store import Event

QUEUE_SIZE = 2_000
_Queue = asyncio.Queue[Event | None]


class Hub:
    """Subscribers by session."""

    def __init__(self) -> None:
        self._queues: dict[str, set[_Queue]] = {}
        self._ends: dict[str, int] = {}

    def publish(self, session_id: str, events: Iterable[Event]) -> None:
        """Hand events to the subscribers of a session."""
        events = list(events)
        if session_id in self._queues and (numbers := [item["seq"] for item in events if "seq" in item]):
            self._ends[session_id] = max(self._ends.get(session_id, 0), *numbers)
        for queue in list(self._queues.get(session_id, ())):
            for item in events:
                self._put(session_id, queue, item)

    def _put(self, session_id: str, queue: _Queue, item: Event | None) -> None:
        try:
            queue.put_nowait(item)
        except asyncio.QueueFull:
            self._queues[session_id].discard(queue)
            queue.get_nowait()
            queue.put_nowait(None)

    @contextmanager
    def subscribe(self, session_id: str) -> Iterator[AsyncIterator[Event]]:
        """Live events from now on."""
        queue: _Queue = asyncio.Queue(QUEUE_SIZE)
        self._queues.setdefault(session_id, set()).add(queue)
        try:
            yield _drain(queue)
        finally:
            subscribers = self._queues.get(session_id, set())
            subscribers.discard(queue)
            if not subscribers:
                self._queues.pop(session_id, None)
                self._ends.pop(session_id, None)

    def followed(self) -> list[str]:
        """The sessions that somebody listens to."""
        return list(self._queues)

    def end(self, session_id: str) -> int | None:
        """The highest sequence number that the listeners of a session were given since the first of them came."""
        return self._ends.get(session_id)

    def close(self, session_id: str) -> None:
        """End the streams of a session."""
        for queue in list(self._queues.get(session_id, ())):
            self._put(session_id, queue, None)

    def close_all(self) -> None:
        """End every stream."""
        for session_id in list(self._queues):
            self.close(session_id)


async def _drain(queue: _Queue) -> AsyncIterator[Event]:
    while (item := await queue.get()) is not None:
        yield item
