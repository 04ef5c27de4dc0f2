"""What a queue is to the worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from kagent_runtime.storage.tasks import TaskRow


class SourceUnavailableError(Exception):
    """The queue does not answer now. The text is the type of what went wrong, and names nothing secret."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A task that was handed to this process. `count` says how often it was handed out, this time included.

    `receipt` is what the source knows it by. `id` is its identity; unless `is_row`, its body may give another one.
    """

    receipt: str
    id: str
    body: str
    count: int
    is_row: bool = False


class Source(Protocol):
    """A queue. Every method raises SourceUnavailableError or StoreUnavailableError."""

    async def claim(self, count: int) -> list[Delivery]:
        """Take up to so many tasks; waits a moment when there are none."""

    async def keep(self, deliveries: list[Delivery]) -> None:
        """Say that these are still being worked on."""

    async def release(self, delivery: Delivery, seconds: float, *, is_counted: bool) -> None:
        """Give a task back, for anyone to take after so long."""

    async def settle(self, delivery: Delivery, row: TaskRow) -> None:
        """Take a task off the queue: the database has its result."""

    async def bury(self, delivery: Delivery, reason: str) -> None:
        """Put away what is no task, or one that cannot be finished; the database has the reason."""

    async def enqueue(self, id: str, body: dict[str, Any]) -> None:
        """Put a task in; the database has it as waiting."""

    async def depth(self) -> int:
        """How many tasks wait or are worked on: what scales the workload."""

    async def close(self) -> None:
        """Leave the queue."""
