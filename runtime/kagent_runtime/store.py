"""Sessions, runs and events in a database: SQLite by default, whatever SQLAlchemy speaks by URL.

A session has one append-only event log; its sequence numbers feed history, the web page and SSE resume.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    delete,
    event,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from kagent_runtime.engine import SavedState

_metadata = MetaData()
_sessions = Table(
    "sessions",
    _metadata,
    Column("id", String(32), primary_key=True),
    Column("title", String(200), nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("updated_at", String(32), nullable=False, index=True),
    Column("state", Text),
    Column("state_version", String(64)),
)
_runs = Table(
    "runs",
    _metadata,
    Column("id", String(32), primary_key=True),
    Column("session_id", ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("status", String(16), nullable=False, index=True),
)
_events = Table(
    "events",
    _metadata,
    Column("session_id", ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("data", Text, nullable=False),
)
# What was sent by a bus that delivers at least once: the key is accepted with the message, in one transaction.
_accepted = Table(
    "accepted_messages",
    _metadata,
    Column("key", String(64), primary_key=True),
    Column("run_id", String(32), nullable=False),
    Column("at", String(32), nullable=False, index=True),
)

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as stored. Times are RFC 3339, UTC."""

    id: str
    title: str
    created_at: str
    updated_at: str


def now() -> str:
    """The time as stored: RFC 3339 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class StoreError(Exception):
    """The database cannot be opened. The text has no credentials of its URL."""


class DuplicateMessage(Exception):
    """A message with this key was accepted before."""


class Store:
    """The database. Every method is one transaction."""

    def __init__(self, url: str) -> None:
        self._engine: AsyncEngine = create_async_engine(url)
        if url.startswith("sqlite"):
            event.listen(self._engine.sync_engine, "connect", _configure_sqlite)

    async def open(self) -> None:
        """Create what is missing. Raises StoreError."""
        # Asked of the file system first: aiosqlite's thread prints a traceback when the loop ends after a failed open.
        if (path := self._engine.url.database) and self._engine.url.drivername.startswith("sqlite"):
            folder = Path(path).parent
            if not os.access(folder, os.W_OK):
                raise StoreError(f"{folder} is not a folder that can be written")
        try:
            async with self._engine.begin() as connection:
                await connection.run_sync(_metadata.create_all)
        except (SQLAlchemyError, OSError) as error:
            cause = getattr(error, "orig", None) or error
            raise StoreError(f"{type(cause).__name__}: {' '.join(str(cause).split())[:200]}") from None

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    async def create_session(self, id: str, title: str) -> SessionRow:
        """A new, empty session."""
        row = SessionRow(id, title, now(), now())
        values = {"id": id, "title": title, "created_at": row.created_at, "updated_at": row.updated_at}
        async with self._engine.begin() as connection:
            await connection.execute(insert(_sessions).values(**values))
        return row

    async def ensure_session(self, id: str, title: str) -> None:
        """A session of this id, new unless there is one."""
        try:
            await self.create_session(id, title)
        except IntegrityError:
            return

    async def sessions(
        self, limit: int, text: str | None = None, before: tuple[str, str] | None = None
    ) -> list[SessionRow]:
        """The sessions with the newest activity: those with a text in their title or messages, after another one.

        `before` is the time and id of the last session that was seen.
        """
        query = select(*_row_columns()).order_by(_sessions.c.updated_at.desc(), _sessions.c.id).limit(limit)
        if text is not None:
            query = query.where(_sessions.c.title.icontains(text, autoescape=True) | _says(text))
        if before is not None:
            at, id = before
            is_next = (_sessions.c.updated_at == at) & (_sessions.c.id > id)
            query = query.where((_sessions.c.updated_at < at) | is_next)
        async with self._engine.connect() as connection:
            return [SessionRow(*row) for row in await connection.execute(query)]

    async def session(self, id: str) -> SessionRow | None:
        """One session."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(select(*_row_columns()).where(_sessions.c.id == id))).first()
        return SessionRow(*row) if row else None

    async def rename(self, id: str, title: str) -> None:
        """Give a session another title."""
        async with self._engine.begin() as connection:
            await connection.execute(update(_sessions).where(_sessions.c.id == id).values(title=title))

    async def delete(self, id: str) -> None:
        """Remove a session with everything in it."""
        async with self._engine.begin() as connection:
            for table in (_events, _runs):
                await connection.execute(delete(table).where(table.c.session_id == id))
            await connection.execute(delete(_sessions).where(_sessions.c.id == id))

    async def state(self, id: str) -> SavedState | None:
        """The state after the last good run."""
        query = select(_sessions.c.state, _sessions.c.state_version).where(_sessions.c.id == id)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        return SavedState(row[1], json.loads(row[0])) if row and row[0] else None

    async def begin_run(
        self, session_id: str, run_id: str, events: Sequence[Event], key: str | None = None
    ) -> list[Event]:
        """Record a run and its first events. Raises DuplicateMessage when the key is known."""
        async with self._engine.begin() as connection:
            if key is not None:
                await self._accept(connection, key, run_id)
            await connection.execute(insert(_runs).values(id=run_id, session_id=session_id, status="running"))
            return await self._append(connection, session_id, events)

    async def _accept(self, connection: AsyncConnection, key: str, run_id: str) -> None:
        try:
            await connection.execute(insert(_accepted).values(key=key, run_id=run_id, at=now()))
        except IntegrityError:
            raise DuplicateMessage from None

    async def is_accepted(self, key: str) -> bool:
        """Whether a message with this key was accepted."""
        async with self._engine.connect() as connection:
            return (await connection.execute(select(_accepted.c.key).where(_accepted.c.key == key))).first() is not None

    async def remember(self, key: str, run_id: str) -> None:
        """Have a key name a run; the last run that it was given to holds."""
        try:
            async with self._engine.begin() as connection:
                await connection.execute(insert(_accepted).values(key=key, run_id=run_id, at=now()))
        except IntegrityError:
            async with self._engine.begin() as connection:
                await connection.execute(update(_accepted).where(_accepted.c.key == key).values(run_id=run_id))

    async def run_of_key(self, key: str) -> str | None:
        """The run that a key names."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(select(_accepted.c.run_id).where(_accepted.c.key == key))).first()
        return row[0] if row else None

    async def session_of_run(self, run_id: str) -> str | None:
        """The session that a run is in."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(select(_runs.c.session_id).where(_runs.c.id == run_id))).first()
        return row[0] if row else None

    async def append(self, session_id: str, events: Sequence[Event]) -> list[Event]:
        """Add events to the log; returns them with their sequence numbers."""
        async with self._engine.begin() as connection:
            return await self._append(connection, session_id, events)

    async def end_run(
        self, session_id: str, run_id: str, status: str, final: Event, state: Mapping[str, Any] | None, version: str
    ) -> list[Event]:
        """Record the end of a run, and with it the state if there is a new one."""
        async with self._engine.begin() as connection:
            await connection.execute(update(_runs).where(_runs.c.id == run_id).values(status=status))
            if state is not None:
                values = {"state": json.dumps(state), "state_version": version}
                await connection.execute(update(_sessions).where(_sessions.c.id == session_id).values(**values))
            return await self._append(connection, session_id, [final])

    async def unfinished_runs(self) -> list[tuple[str, str]]:
        """(session, run) of the runs that a process left when it died."""
        query = select(_runs.c.session_id, _runs.c.id).where(_runs.c.status == "running").order_by(_runs.c.id)
        async with self._engine.connect() as connection:
            return [(row[0], row[1]) for row in await connection.execute(query)]

    async def events(self, session_id: str, after: int) -> list[Event]:
        """The log of a session after a sequence number."""
        query = select(_events.c.data).where(_events.c.session_id == session_id, _events.c.seq > after)
        async with self._engine.connect() as connection:
            return [json.loads(row[0]) for row in await connection.execute(query.order_by(_events.c.seq))]

    async def _append(self, connection: AsyncConnection, session_id: str, events: Sequence[Event]) -> list[Event]:
        query = select(func.coalesce(func.max(_events.c.seq), 0)).where(_events.c.session_id == session_id)
        last: int = (await connection.execute(query)).scalar_one()
        numbered = [{"seq": last + number, **item} for number, item in enumerate(events, 1)]
        rows = [{"session_id": session_id, "seq": item["seq"], "data": json.dumps(item)} for item in numbered]
        await connection.execute(insert(_events), rows)
        await connection.execute(update(_sessions).where(_sessions.c.id == session_id).values(updated_at=now()))
        return numbered


def _row_columns() -> tuple[Column[Any], ...]:
    return (_sessions.c.id, _sessions.c.title, _sessions.c.created_at, _sessions.c.updated_at)


def _says(text: str) -> ColumnElement[bool]:
    """A message of the session has this text, as it stands in the JSON of the event."""
    told = json.dumps(text)[1:-1]
    for special in "/%_":
        told = told.replace(special, f"/{special}")
    is_message = _events.c.data.contains('"type": "message')
    has_text = _events.c.data.ilike(f'%"content": "%{told}%', escape="/")
    return select(_events.c.seq).where(_events.c.session_id == _sessions.c.id, is_message, has_text).exists()


def _configure_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    # FULL: a message is acknowledged only when it is on the disk.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
