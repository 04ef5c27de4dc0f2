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
    Connection,
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
    inspect,
    select,
    text,
    true,
    update,
)
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from kagent_runtime.auth.identity import only_owner, owner
from kagent_runtime.engine import SavedState

_metadata = MetaData()
_sessions = Table(
    "sessions",
    _metadata,
    Column("id", String(32), primary_key=True),
    Column("title", String(200), nullable=False),
    # Whose it is: the subject of an identity; empty without authentication.
    Column("owner", String(512), nullable=False, server_default="", index=True),
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
    """The database. Every method is one transaction. What belongs to another caller is not found (`auth.identity`)."""

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
                await connection.run_sync(_add_owner)
        except (SQLAlchemyError, OSError) as error:
            cause = getattr(error, "orig", None) or error
            raise StoreError(f"{type(cause).__name__}: {' '.join(str(cause).split())[:200]}") from None

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    async def create_session(self, id: str, title: str) -> SessionRow:
        """A new, empty session."""
        row = SessionRow(id, title, now(), now())
        values = {"id": id, "title": title, "owner": owner()}
        values |= {"created_at": row.created_at, "updated_at": row.updated_at}
        async with self._engine.begin() as connection:
            await connection.execute(insert(_sessions).values(**values))
        return row

    async def ensure_session(self, id: str, title: str) -> None:
        """A session of this id, new unless there is one."""
        try:
            await self.create_session(id, title)
        except IntegrityError:
            return

    async def sessions(self, limit: int) -> list[SessionRow]:
        """The caller's sessions, those with the newest activity."""
        query = select(*_row_columns()).where(_own()).limit(limit)
        query = query.order_by(_sessions.c.updated_at.desc(), _sessions.c.id)
        async with self._engine.connect() as connection:
            return [SessionRow(*row) for row in await connection.execute(query)]

    async def session(self, id: str) -> SessionRow | None:
        """One session of the caller's."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(select(*_row_columns()).where(_sessions.c.id == id, _own()))).first()
        return SessionRow(*row) if row else None

    async def rename(self, id: str, title: str) -> None:
        """Give a session another title."""
        async with self._engine.begin() as connection:
            await connection.execute(update(_sessions).where(_sessions.c.id == id, _own()).values(title=title))

    async def delete(self, id: str) -> None:
        """Remove a session with everything in it."""
        async with self._engine.begin() as connection:
            for table in (_events, _runs):
                await connection.execute(delete(table).where(table.c.session_id == id))
            await connection.execute(delete(_sessions).where(_sessions.c.id == id))

    async def state(self, id: str) -> SavedState | None:
        """The state after the last good run."""
        query = select(_sessions.c.state, _sessions.c.state_version).where(_sessions.c.id == id, _own())
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
        query = select(_events.c.data).join(_sessions).where(_events.c.session_id == session_id, _own())
        query = query.where(_events.c.seq > after)
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


def _own() -> ColumnElement[bool]:
    """The sessions that the caller may know of."""
    subject = only_owner()
    return true() if subject is None else _sessions.c.owner == subject


def _add_owner(connection: Connection) -> None:
    """A database that was made before sessions had owners gets the column: what is there is nobody's in particular."""
    if "owner" not in {column["name"] for column in inspect(connection).get_columns("sessions")}:
        connection.execute(text("ALTER TABLE sessions ADD COLUMN owner VARCHAR(512) NOT NULL DEFAULT ''"))


def _row_columns() -> tuple[Column[Any], ...]:
    return (_sessions.c.id, _sessions.c.title, _sessions.c.created_at, _sessions.c.updated_at)


def _configure_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    # FULL: a message is acknowledged only when it is on the disk.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
