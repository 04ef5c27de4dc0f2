"""How many runs go on at once, and how many wait for a place; who comes after them is told to come back later."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from kagent_runtime.settings import DEFAULT_QUEUED, DEFAULT_RUNS
from kagent_runtime.telemetry import metrics

RETRY_SECONDS = 5


class Overloaded(Exception):
    """No place, and the queue is full."""


class Admission:
    """The places of this process: `runs` at once, and a queue of `queued` in order of arrival."""

    def __init__(self, runs: int = DEFAULT_RUNS, queued: int = DEFAULT_QUEUED) -> None:
        self._runs, self._queued = runs, queued
        self._running = 0
        self._queue: deque[Ticket] = deque()

    def admit(self) -> Ticket:
        """A place, or one in the queue. Raises Overloaded."""
        if self._running >= self._runs and len(self._queue) >= self._queued:
            metrics.RUNS_REFUSED.inc()
            raise Overloaded
        return self.readmit()

    def readmit(self) -> Ticket:
        """The same for a run that another process began: it waits its turn, however many do."""
        ticket = Ticket(self)
        if self._running < self._runs:
            self._let_in(ticket)
        else:
            self._queue.append(ticket)
            metrics.RUNS_QUEUED.set(len(self._queue))
        return ticket

    def _let_in(self, ticket: Ticket) -> None:
        self._running += 1
        ticket.has_place = True
        ticket.wake()

    def take(self) -> None:
        """A run that waited for a person goes on: it does not queue again, though there may be one too many then."""
        self._running += 1

    def free(self) -> None:
        """A place is free: the next in the queue gets it."""
        self._running -= 1
        while self._queue and self._running < self._runs:
            self._let_in(self._queue.popleft())
        metrics.RUNS_QUEUED.set(len(self._queue))

    def leave(self, ticket: Ticket) -> None:
        """Wait no longer."""
        self._queue.remove(ticket)
        metrics.RUNS_QUEUED.set(len(self._queue))


class Ticket:
    """The place of one run."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._woken = asyncio.Event()
        self._pauses = 0
        self._is_over = False
        self.has_place = False

    async def wait(self) -> None:
        """Return when there is a place, or when woken without one."""
        await self._woken.wait()

    def wake(self) -> None:
        """End the wait."""
        self._woken.set()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The run waits for a person, and needs no place meanwhile."""
        self._pauses += 1
        if self._pauses == 1:
            self._admission.free()
        try:
            yield
        finally:
            self._pauses -= 1
            if self._pauses == 0:
                self._admission.take()

    def end(self) -> None:
        """The run is over; once is enough."""
        if self._is_over:
            return
        self._is_over = True
        if not self.has_place:
            self._admission.leave(self)
        elif not self._pauses:
            self._admission.free()
