"""Who runs what. A process owns runs while its lease lasts; it renews the lease, and others take over when it ends.

A lease and not an advisory lock: a lock lives and dies with one connection, which a pooler shares, a failover drops
while the process goes on, and a lost node keeps open for hours. Since a clock alone is no proof (a process may be
paused between its check and its write), every write names the fence, which a takeover raises.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Select, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from kagent_runtime.auth.identity import CALLER
from kagent_runtime.storage.callers import mine
from kagent_runtime.storage.database import Database
from kagent_runtime.storage.errors import LostRunError
from kagent_runtime.storage.tables import REPLICAS, RUNS

OPEN = "running"
Ask = Literal["cancel", "finish"]


@dataclass(frozen=True, slots=True)
class Token:
    """The right to write for a run: good until another process takes it over."""

    run_id: str
    session_id: str
    owner: str
    fence: int


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run that has not ended. `started` is in seconds since 1970."""

    id: str
    session_id: str
    owner: str | None
    fence: int
    deaths: int
    config_version: str | None
    depth: int
    started: float | None
    asked: str | None
    caller: str | None


_COLUMNS = (
    RUNS.c.id, RUNS.c.session_id, RUNS.c.owner, RUNS.c.fence, RUNS.c.deaths, RUNS.c.config_version, RUNS.c.depth,
    RUNS.c.started_at, RUNS.c.asked, RUNS.c.caller,
)  # fmt: skip


class Ownership:
    """The leases, and the runs that come with them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def renew(self, replica: str, seconds: float) -> None:
        """Keep the lease of this process for so long from now."""
        expires = self._database.clock() + seconds
        async with self._database.write() as connection:
            renewed = await connection.execute(update(REPLICAS).where(REPLICAS.c.id == replica).values(expires=expires))
            if not renewed.rowcount:
                await connection.execute(insert(REPLICAS).values(id=replica, expires=expires))
            stale = REPLICAS.c.expires < self._database.clock() - 3600
            await connection.execute(delete(REPLICAS).where(stale))

    async def leave(self, replica: str) -> None:
        """Give up the lease and every run: others may take them at once."""
        async with self._database.write() as connection:
            await connection.execute(
                update(RUNS).where(RUNS.c.owner == replica, RUNS.c.status == OPEN).values(owner=None)
            )
            await connection.execute(delete(REPLICAS).where(REPLICAS.c.id == replica))

    async def abandoned(self, replica: str, running: Collection[str]) -> list[OpenRun]:
        """The open runs that nobody is at: of no owner, of one whose lease has ended, or ours but not `running`."""
        alive = select(REPLICAS.c.id).where(REPLICAS.c.expires > self._database.clock(), REPLICAS.c.id != replica)
        query = select(*_COLUMNS).where(RUNS.c.status == OPEN, RUNS.c.owner.is_(None) | RUNS.c.owner.not_in(alive))
        async with self._database.read() as connection:
            rows: Any = await connection.execute(query.order_by(RUNS.c.id))
            found = [OpenRun(*row) for row in rows]
        return [run for run in found if run.id not in running]

    async def take(self, run: OpenRun, replica: str) -> Token | None:
        """Own a run that was abandoned; None when another process was faster."""
        died = run.owner is not None and run.owner != replica
        values: dict[str, Any] = {"owner": replica, "fence": run.fence + 1, "deaths": run.deaths + died}
        where = (RUNS.c.id == run.id, RUNS.c.fence == run.fence, RUNS.c.status == OPEN)
        async with self._database.write() as connection:
            taken = await connection.execute(update(RUNS).where(*where).values(**values))
        return Token(run.id, run.session_id, replica, run.fence + 1) if taken.rowcount else None

    async def owned(self, replica: str) -> dict[str, tuple[int, str | None]]:
        """By the ids of the open runs of this process: the fence, and what others ask of it."""
        query = select(RUNS.c.id, RUNS.c.fence, RUNS.c.asked).where(RUNS.c.owner == replica, RUNS.c.status == OPEN)
        async with self._database.read() as connection:
            return {row[0]: (row[1], row[2]) for row in await connection.execute(query)}

    async def ask(self, session_id: str, what: Ask) -> bool:
        """Ask whoever owns the open run of a session to end it; whether there is one."""
        where = (RUNS.c.session_id == session_id, RUNS.c.status == OPEN, mine(RUNS.c.session_id))
        values = {"asked": what if what == "cancel" else func.coalesce(RUNS.c.asked, what)}
        async with self._database.write() as connection:
            return bool((await connection.execute(update(RUNS).where(*where).values(**values))).rowcount)


def new_run(token: Token, config_version: str, depth: int) -> dict[str, Any]:
    """The row of a run that begins."""
    return {
        "id": token.run_id,
        "session_id": token.session_id,
        "status": OPEN,
        "owner": token.owner,
        "fence": token.fence,
        "config_version": config_version,
        "depth": depth,
        "caller": caller.subject if (caller := CALLER.get()) else None,
        "started_at": time.time(),
    }


async def still_own(connection: AsyncConnection, token: Token) -> None:
    """Hold the run until the transaction ends. Raises LostRunError when it is not ours any more."""
    if (await connection.execute(_owning(token))).first() is None:
        raise LostRunError


def _owning(token: Token) -> Select[Any]:
    where = (RUNS.c.id == token.run_id, RUNS.c.owner == token.owner, RUNS.c.fence == token.fence)
    return select(RUNS.c.id).where(*where, RUNS.c.status == OPEN).with_for_update()
