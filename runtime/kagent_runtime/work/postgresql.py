"""The table `tasks` in the database of the conversations: SELECT ... FOR UPDATE SKIP LOCKED, with a lease."""

from __future__ import annotations

import asyncio
from typing import Any

from kagent_runtime.model.queue import Queue
from kagent_runtime.storage.tasks import TaskRow, TaskStore
from kagent_runtime.work.source import Delivery

_IDLE_SECONDS = 0.5


class PostgreSqlSource:
    """A row is a task; others may put them in with plain SQL. With SQLite it serves one process."""

    def __init__(self, queue: Queue, tasks: TaskStore, owner: str) -> None:
        self._tasks, self._owner, self._seconds = tasks, owner, queue.leaseSeconds

    async def claim(self, count: int) -> list[Delivery]:
        """The oldest that wait, or whose owner fell silent."""
        rows = await self._tasks.claim(self._owner, count, self._seconds)
        if not rows:
            await asyncio.sleep(_IDLE_SECONDS)
        return [Delivery(row.id, row.id, row.body, row.deliveries, is_row=True) for row in rows]

    async def keep(self, deliveries: list[Delivery]) -> None:
        """Renew the leases."""
        await self._tasks.keep(self._owner, [delivery.receipt for delivery in deliveries], self._seconds)

    async def release(self, delivery: Delivery, seconds: float, *, is_counted: bool) -> None:
        """Waiting again."""
        await self._tasks.release(self._owner, delivery.receipt, seconds, is_counted=is_counted)

    async def settle(self, delivery: Delivery, row: TaskRow) -> None:
        """Nothing: the result is in the row."""

    async def bury(self, delivery: Delivery, reason: str) -> None:
        """Nothing: the state `dead` and the reason are in the row."""

    async def enqueue(self, id: str, body: dict[str, Any]) -> None:
        """Nothing: the row is the entry."""

    async def depth(self) -> int:
        """Rows without a result."""
        return await self._tasks.depth()

    async def close(self) -> None:
        """Nothing."""
