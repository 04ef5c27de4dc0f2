"""The tasks of a queue as the database knows them: waiting, running, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from kagent_runtime.storage.database import Database
from kagent_runtime.storage.tables import RUNS, TASKS
from kagent_runtime.storage.texts import storable

QUEUED, RUNNING, DONE, FAILED, DEAD = "queued", "running", "done", "failed", "dead"
OPEN = (QUEUED, RUNNING)


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task as stored."""

    id: str
    body: str
    caller: str | None
    state: str
    deliveries: int
    session_id: str | None
    run_id: str | None
    outcome: str | None
    reason: str | None
    answer: str | None
    finished_at: str | None

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        return self.state not in OPEN


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a task. `state` is `done`, `failed` or `dead`."""

    state: str
    outcome: str | None = None
    reason: str | None = None
    answer: str | None = None


_COLUMNS = tuple(TASKS.c[name] for name in TaskRow.__dataclass_fields__)


class TaskStore:
    """The table of tasks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, id: str) -> TaskRow | None:
        """One task."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(*_COLUMNS).where(TASKS.c.id == id))).first()
        return TaskRow(*row) if row else None

    async def put(self, id: str, body: str, caller: str | None = None) -> TaskRow:
        """The task of this id: new and waiting, unless it is known already, perhaps as another caller's."""
        while (found := await self.find(id)) is None:
            try:
                async with self._database.write() as connection:
                    await connection.execute(insert(TASKS).values(id=id, body=storable(body), caller=caller))
            except IntegrityError:
                continue  # another one was faster
        return found

    async def withdraw(self, id: str) -> None:
        """Take a task away that nobody has begun."""
        async with self._database.write() as connection:
            await connection.execute(
                TASKS.delete().where(TASKS.c.id == id, TASKS.c.state == QUEUED, TASKS.c.run_id.is_(None))
            )

    async def claim(self, owner: str, count: int, seconds: float) -> list[TaskRow]:
        """Take up to so many tasks that wait, or whose owner fell silent; no two processes get the same one."""
        now = self._database.clock()
        free = or_(
            (TASKS.c.state == QUEUED) & (TASKS.c.lease.is_(None) | (TASKS.c.lease <= now)),
            (TASKS.c.state == RUNNING) & (TASKS.c.lease <= now),
        )
        oldest = select(TASKS.c.id).where(free).order_by(TASKS.c.created_at, TASKS.c.id).limit(count)
        # SQLite has no such lock, and needs none: its writing transactions come one after the other.
        chosen = oldest.with_for_update(skip_locked=True)
        values = {"state": RUNNING, "owner": owner, "lease": now + seconds, "deliveries": TASKS.c.deliveries + 1}
        async with self._database.write() as connection:
            ids = [row[0] for row in await connection.execute(chosen)]
            if not ids:
                return []
            taken = update(TASKS).where(TASKS.c.id.in_(ids)).values(**values).returning(*_COLUMNS)
            return [TaskRow(*row) for row in await connection.execute(taken)]

    async def keep(self, owner: str, ids: Sequence[str], seconds: float) -> None:
        """Say that these tasks are still being worked on."""
        where = (TASKS.c.id.in_(ids), TASKS.c.owner == owner, TASKS.c.state == RUNNING)
        async with self._database.write() as connection:
            await connection.execute(update(TASKS).where(*where).values(lease=self._database.clock() + seconds))

    async def release(self, owner: str, id: str, seconds: float, *, is_counted: bool) -> None:
        """Let others have a task, after so long; whether this delivery counts against its bound."""
        values: dict[str, Any] = {"state": QUEUED, "owner": None, "lease": self._database.clock() + seconds}
        if not is_counted:
            values["deliveries"] = TASKS.c.deliveries - 1
        where = (TASKS.c.id == id, TASKS.c.owner == owner, TASKS.c.state == RUNNING)
        async with self._database.write() as connection:
            await connection.execute(update(TASKS).where(*where).values(**values))

    async def started(self, id: str, session_id: str, run_id: str, deliveries: int) -> None:
        """Record where a task runs."""
        values = {"state": RUNNING, "session_id": session_id, "run_id": run_id, "deliveries": deliveries}
        where = (TASKS.c.id == id, TASKS.c.state.in_(OPEN))
        async with self._database.write() as connection:
            await connection.execute(update(TASKS).where(*where).values(**values))

    async def finish(self, id: str, result: Result) -> bool:
        """Record what became of a task, once; whether this was the time."""
        values = {
            "state": result.state,
            "outcome": result.outcome,
            "reason": storable(result.reason) if result.reason else None,
            "answer": storable(result.answer) if result.answer is not None else None,
            "finished_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "owner": None,
            "lease": None,
        }
        where = (TASKS.c.id == id, TASKS.c.state.in_(OPEN))
        async with self._database.write() as connection:
            return bool((await connection.execute(update(TASKS).where(*where).values(**values))).rowcount)

    async def depth(self) -> int:
        """How many tasks have no result yet: what KEDA's query counts."""
        return await self._count(TASKS.c.state.in_(OPEN))

    async def _count(self, where: ColumnElement[bool]) -> int:
        async with self._database.read() as connection:
            found = (await connection.execute(select(func.count()).select_from(TASKS).where(where))).scalar()
        return int(found or 0)

    async def run_status(self, run_id: str) -> str | None:
        """How a run is; None when it is gone with its session."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(RUNS.c.status).where(RUNS.c.id == run_id))).first()
        return row[0] if row else None
