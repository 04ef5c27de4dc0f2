"""Calls that wait for a person, and what was decided: once, for exactly that call, by whichever process is asked."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from kagent_runtime.auth.identity import owner
from kagent_runtime.storage.callers import mine
from kagent_runtime.storage.database import Database
from kagent_runtime.storage.ownership import Token, still_own
from kagent_runtime.storage.tables import APPROVALS
from kagent_runtime.storage.texts import storable

Event = dict[str, Any]
Append = Callable[[AsyncConnection, str, list[Event]], Awaitable[list[Event]]]
MAX_ID = 140


@dataclass(frozen=True, slots=True)
class AskedCall:
    """A call that waits or waited. `expires` is in seconds since 1970; `decision` is `approve` or `deny`."""

    id: str
    run_id: str
    call_id: str
    agent: str
    name: str
    arguments: str
    expires: float
    decision: str | None = None
    decided_by: str | None = None
    reason: str | None = None
    subject: str | None = None
    preview: str | None = None


_COLUMNS = (
    APPROVALS.c.id, APPROVALS.c.run_id, APPROVALS.c.call_id, APPROVALS.c.agent, APPROVALS.c.name,
    APPROVALS.c.arguments, APPROVALS.c.expires, APPROVALS.c.decision, APPROVALS.c.decided_by, APPROVALS.c.reason,
    APPROVALS.c.subject, APPROVALS.c.preview,
)  # fmt: skip


class Decisions:
    """The approvals of all sessions. Each event is written in the transaction of what it tells."""

    def __init__(self, database: Database, append: Append) -> None:
        self._database, self._append = database, append

    async def ask(self, token: Token, call: AskedCall, told: Callable[[AskedCall], Event]) -> tuple[AskedCall, Event]:
        """Record that a call waits, under an id that no other call of the session has. Raises LostRunError."""
        async with self._database.write() as connection:
            await still_own(connection, token)
            known = select(APPROVALS.c.id).where(APPROVALS.c.session_id == token.session_id)
            used = set((await connection.execute(known)).scalars())
            asked = _with_id(call, _unused(call.call_id, used))
            values = {"session_id": token.session_id, "position": len(used)} | _row(asked)
            await connection.execute(insert(APPROVALS).values(**values))
            return asked, (await self._append(connection, token.session_id, [told(asked)]))[0]

    async def of_run(self, run_id: str) -> list[AskedCall]:
        """The calls of a run, in the order in which they were asked for."""
        query = select(*_COLUMNS).where(APPROVALS.c.run_id == run_id).order_by(APPROVALS.c.position)
        async with self._database.read() as connection:
            return [_call(row) for row in await connection.execute(query)]

    async def find(self, session_id: str, id: str) -> AskedCall | None:
        """One call."""
        where = (APPROVALS.c.session_id == session_id, APPROVALS.c.id == storable(id), mine(APPROVALS.c.session_id))
        query = select(*_COLUMNS).where(*where)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        return _call(row) if row else None

    async def decided(self, run_ids: Collection[str]) -> list[AskedCall]:
        """The calls of these runs that were decided."""
        query = select(*_COLUMNS).where(APPROVALS.c.run_id.in_(run_ids), APPROVALS.c.decision.is_not(None))
        async with self._database.read() as connection:
            return [_call(row) for row in await connection.execute(query)]

    async def decide(
        self, session_id: str, id: str, verdict: str, by: str, reason: str | None, told: Callable[[AskedCall], Event]
    ) -> tuple[AskedCall, Event] | None:
        """Decide a call that waits; None when none does, or no longer. A person must be in time."""
        where = [APPROVALS.c.session_id == session_id, APPROVALS.c.id == storable(id), APPROVALS.c.decision.is_(None)]
        where.append(mine(APPROVALS.c.session_id))
        if by == "person":
            where.append(APPROVALS.c.expires > self._database.clock())
        values = {"decision": verdict, "decided_by": by, "reason": storable(reason) if reason else reason}
        values["subject"] = (owner() or None) if by == "person" else None
        async with self._database.write() as connection:
            changed = update(APPROVALS).where(*where).values(**values).returning(*_COLUMNS)
            row = (await connection.execute(changed)).first()
            if row is None:
                return None
            call = _call(row)
            return call, (await self._append(connection, session_id, [told(call)]))[0]


def _call(row: Any) -> AskedCall:
    return AskedCall(*row)


def canonical(arguments: Any) -> str:
    """The arguments as compared: two calls are the same only when this is."""
    return json.dumps(arguments, sort_keys=True)


def _row(call: AskedCall) -> dict[str, Any]:
    return {
        "id": call.id,
        "run_id": call.run_id,
        "call_id": call.call_id,
        "agent": call.agent,
        "name": call.name,
        "arguments": call.arguments,
        "expires": call.expires,
        "preview": storable(call.preview) if call.preview is not None else None,
    }


def _with_id(call: AskedCall, id: str) -> AskedCall:
    return replace(call, id=id)


def _unused(call_id: str, used: set[str]) -> str:
    """The call's id; with a number when the model repeats ids, so that a decision never meets another call."""
    base = call_id[:MAX_ID]
    id, number = base, 1
    while id in used:
        number += 1
        id = f"{base}-{number}"
    return id
