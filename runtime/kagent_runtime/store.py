"""Sessions, runs and events in a database: SQLite by default, PostgreSQL by URL.

A session has one append-only event log; its sequence numbers feed history, the web page and SSE resume.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, delete, exists, insert, literal, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from kagent_runtime.auth.identity import owner
from kagent_runtime.engine import SavedState
from kagent_runtime.storage.callers import mine, own_key
from kagent_runtime.storage.database import Database
from kagent_runtime.storage.decisions import Decisions
from kagent_runtime.storage.errors import (
    DuplicateMessage,
    LostRunError,
    NoSessionError,
    SessionBusyError,
    StoreError,
    StoreUnavailableError,
)
from kagent_runtime.storage.journal import JournalStore
from kagent_runtime.storage.ownership import OPEN, Ownership, Token, new_run, still_own
from kagent_runtime.storage.schema import bring_up_to_date
from kagent_runtime.storage.tables import ACCEPTED, APPROVALS, EVENTS, JOURNAL, RUNS, SESSIONS
from kagent_runtime.storage.tasks import TaskStore
from kagent_runtime.storage.texts import storable

__all__ = [
    "DuplicateMessage",
    "Event",
    "LostRunError",
    "NoSessionError",
    "SessionBusyError",
    "SessionRow",
    "Store",
    "StoreError",
    "StoreUnavailableError",
    "Token",
    "now",
]
_ID = re.compile(r"[0-9a-zA-Z_-]{1,32}")
Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as stored. Times are RFC 3339, UTC; the status is `idle`, `running` or `waiting`."""

    id: str
    title: str
    created_at: str
    updated_at: str
    status: str = "idle"


def now() -> str:
    """The time as stored: RFC 3339 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Store:
    """The database. Every method is one transaction, and raises StoreUnavailableError when that cannot be made.

    What belongs to another caller is not found (`auth.identity`).
    """

    def __init__(self, url: str, workload: str = "agent") -> None:
        self._database = Database(url, workload)
        self.ownership = Ownership(self._database)
        self.journal = JournalStore(self._database)
        self.decisions = Decisions(self._database, self._append)
        self.tasks = TaskStore(self._database)

    @property
    def is_shared(self) -> bool:
        """Whether other processes may use the database too."""
        return self._database.is_shared

    async def open(self) -> None:
        """Create or migrate the tables. Raises StoreError."""
        await self._database.lock_file()
        try:
            await bring_up_to_date(self._database)
        except Exception as error:
            raise self._database.explain(error) from None

    async def close(self) -> None:
        """Close every connection."""
        await self._database.close()

    async def create_session(self, id: str, title: str) -> SessionRow:
        """A new, empty session."""
        row = SessionRow(id, storable(title), now(), now())
        values = {"id": id, "title": row.title, "owner": owner()}
        values |= {"created_at": row.created_at, "updated_at": row.updated_at}
        async with self._database.write() as connection:
            await connection.execute(insert(SESSIONS).values(**values))
        return row

    async def ensure_session(self, id: str, title: str) -> None:
        """A session of this id, new unless there is one, which may be another caller's."""
        try:
            await self.create_session(id, title)
        except IntegrityError:
            return

    async def sessions(
        self, limit: int, text: str | None = None, before: tuple[str, str] | None = None
    ) -> list[SessionRow]:
        """The caller's sessions with the newest activity: those with a text in title or messages, after another one.

        `before` is the time and id of the last session that was seen.
        """
        query = _rows().where(mine(SESSIONS.c.id)).limit(limit)
        query = query.order_by(SESSIONS.c.updated_at.desc(), SESSIONS.c.id)
        if text is not None:
            query = query.where(SESSIONS.c.title.icontains(text, autoescape=True) | _says(text))
        if before is not None:
            at, id = before
            is_next = (SESSIONS.c.updated_at == at) & (SESSIONS.c.id > id)
            query = query.where((SESSIONS.c.updated_at < at) | is_next)
        async with self._database.read(is_long=text is not None) as connection:
            return [SessionRow(*row) for row in await connection.execute(query)]

    async def session(self, id: str) -> SessionRow | None:
        """One session of the caller's."""
        if not _ID.fullmatch(id):
            return None
        async with self._database.read() as connection:
            row = (await connection.execute(_rows().where(SESSIONS.c.id == id, mine(SESSIONS.c.id)))).first()
        return SessionRow(*row) if row else None

    async def rename(self, id: str, title: str) -> None:
        """Give a session another title."""
        async with self._database.write() as connection:
            found = update(SESSIONS).where(SESSIONS.c.id == id, mine(SESSIONS.c.id))
            await connection.execute(found.values(title=storable(title)))

    async def delete(self, id: str) -> None:
        """Remove a session with everything in it; a run in it, whoever has it, can write no more."""
        own = select(RUNS.c.id).where(RUNS.c.session_id == id)
        found = select(SESSIONS.c.id).where(SESSIONS.c.id == id, mine(SESSIONS.c.id))
        async with self._database.write() as connection:
            if (await connection.execute(found)).first() is None:
                return
            await connection.execute(delete(JOURNAL).where(JOURNAL.c.run_id.in_(own)))
            for table in (APPROVALS, RUNS, EVENTS):
                await connection.execute(delete(table).where(table.c.session_id == id))
            await connection.execute(delete(SESSIONS).where(SESSIONS.c.id == id))

    async def state(self, id: str) -> SavedState | None:
        """The state after the last good run."""
        query = select(SESSIONS.c.state, SESSIONS.c.state_version).where(SESSIONS.c.id == id, mine(SESSIONS.c.id))
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        return SavedState(row[1], json.loads(row[0])) if row and row[0] else None

    async def begin_run(
        self, token: Token, events: Sequence[Event], key: str | None, config_version: str, depth: int
    ) -> list[Event]:
        """Record a run and its first events.

        Raises DuplicateMessage when the key is known, SessionBusyError when a run is open, NoSessionError.
        """
        async with self._database.write() as connection:
            if key is not None:
                await self._accept(connection, key, token.run_id)
            # First the log, whose row keeps other writers of the session away.
            stored = await self._append(connection, token.session_id, events)
            found = select(SESSIONS.c.id).where(SESSIONS.c.id == token.session_id, mine(SESSIONS.c.id))
            if (await connection.execute(found)).first() is None:
                raise NoSessionError
            query = select(RUNS.c.id).where(RUNS.c.session_id == token.session_id, RUNS.c.status == OPEN)
            if (await connection.execute(query)).first() is not None:
                raise SessionBusyError
            await connection.execute(insert(RUNS).values(**new_run(token, config_version, depth)))
            return stored

    async def _accept(self, connection: AsyncConnection, key: str, run_id: str) -> None:
        try:
            await connection.execute(insert(ACCEPTED).values(key=own_key(key), run_id=run_id, at=now()))
        except IntegrityError:
            raise DuplicateMessage from None

    async def is_accepted(self, key: str) -> bool:
        """Whether a message with this key was accepted."""
        query = select(ACCEPTED.c.key).where(ACCEPTED.c.key == own_key(key))
        async with self._database.read() as connection:
            return (await connection.execute(query)).first() is not None

    async def remember(self, key: str, run_id: str) -> None:
        """Have a key name a run; the last run that it was given to holds."""
        key = own_key(key)
        try:
            async with self._database.write() as connection:
                await connection.execute(insert(ACCEPTED).values(key=key, run_id=run_id, at=now()))
        except IntegrityError:
            async with self._database.write() as connection:
                await connection.execute(update(ACCEPTED).where(ACCEPTED.c.key == key).values(run_id=run_id))

    async def run_of_key(self, key: str) -> str | None:
        """The run that a key names."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(ACCEPTED.c.run_id).where(ACCEPTED.c.key == own_key(key)))).first()
        return row[0] if row else None

    async def session_of_run(self, run_id: str) -> str | None:
        """The session that a run is in."""
        query = select(RUNS.c.session_id).where(RUNS.c.id == run_id, mine(RUNS.c.session_id))
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        return row[0] if row else None

    async def append(self, token: Token, events: Sequence[Event]) -> list[Event]:
        """Add events of a run to the log; returns them with their sequence numbers. Raises LostRunError."""
        async with self._database.write() as connection:
            await still_own(connection, token)
            return await self._append(connection, token.session_id, events)

    async def end_run(
        self, token: Token, status: str, final: Event, state: Mapping[str, Any] | None, version: str
    ) -> list[Event]:
        """Record the end of a run, and with it the state if there is a new one. Raises LostRunError."""
        async with self._database.write() as connection:
            await still_own(connection, token)
            await connection.execute(update(RUNS).where(RUNS.c.id == token.run_id).values(status=status))
            await connection.execute(delete(JOURNAL).where(JOURNAL.c.run_id == token.run_id))
            if state is not None:
                values = {"state": json.dumps(state), "state_version": version}
                await connection.execute(update(SESSIONS).where(SESSIONS.c.id == token.session_id).values(**values))
            return await self._append(connection, token.session_id, [final])

    async def events(self, session_id: str, after: int) -> list[Event]:
        """The log of a session after a sequence number."""
        query = select(EVENTS.c.data).where(EVENTS.c.session_id == session_id, mine(EVENTS.c.session_id))
        query = query.where(EVENTS.c.seq > after)
        async with self._database.read() as connection:
            return [json.loads(row[0]) for row in await connection.execute(query.order_by(EVENTS.c.seq))]

    async def last_seqs(self, session_ids: Sequence[str]) -> dict[str, int]:
        """Where the logs of these sessions end."""
        query = select(SESSIONS.c.id, SESSIONS.c.last_seq).where(SESSIONS.c.id.in_(session_ids))
        async with self._database.read() as connection:
            return {row[0]: row[1] for row in await connection.execute(query)}

    async def _append(self, connection: AsyncConnection, session_id: str, events: Sequence[Event]) -> list[Event]:
        values = {"last_seq": SESSIONS.c.last_seq + len(events), "updated_at": now()}
        raised = update(SESSIONS).where(SESSIONS.c.id == session_id).values(**values).returning(SESSIONS.c.last_seq)
        end: int | None = (await connection.execute(raised)).scalar()
        if end is None:
            raise NoSessionError
        numbered = [{"seq": end - len(events) + number, **item} for number, item in enumerate(events, 1)]
        rows = [{"session_id": session_id, "seq": item["seq"], "data": json.dumps(item)} for item in numbered]
        await connection.execute(insert(EVENTS), rows)
        return numbered


def _rows() -> Select[Any]:
    return select(SESSIONS.c.id, SESSIONS.c.title, SESSIONS.c.created_at, SESSIONS.c.updated_at, _status())


def _status() -> ColumnElement[str]:
    is_open = (RUNS.c.session_id == SESSIONS.c.id) & (RUNS.c.status == OPEN)
    waits = is_open & (APPROVALS.c.run_id == RUNS.c.id) & APPROVALS.c.decision.is_(None)
    waiting, running = exists().where(waits), exists().where(is_open)
    return case((waiting, literal("waiting")), (running, literal("running")), else_=literal("idle")).label("status")


def _says(text: str) -> ColumnElement[bool]:
    """A message of the session has this text, as it stands in the JSON of the event."""
    told = json.dumps(text)[1:-1]
    for special in "/%_":
        told = told.replace(special, f"/{special}")
    is_message = EVENTS.c.data.contains('"type": "message')
    has_text = EVENTS.c.data.ilike(f'%"content": "%{told}%', escape="/")
    return select(EVENTS.c.seq).where(EVENTS.c.session_id == SESSIONS.c.id, is_message, has_text).exists()
