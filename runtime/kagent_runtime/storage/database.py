"""One database by its URL: SQLite or PostgreSQL, its transactions and its clock.

Several workloads may share one PostgreSQL database: each has a schema of its own. A SQLite file belongs to one
process, which holds a lock on a file beside it for as long as it runs.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from sqlalchemy import ColumnElement, Double, cast, event, extract, func, literal, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from kagent_runtime.storage.errors import StoreError, StoreUnavailableError
from kagent_runtime.storage.group_commit import GroupCommit
from kagent_runtime.storage.inline_sqlite import Connection, creator

CONNECT_SECONDS = 10.0
LOCK_SECONDS = 10.0
_WRITES = "kagent_writes"
_POSTGRESQL = re.compile(r"postgres(ql)?(\+\w+)?$")
_FORM = "postgresql://user:password@host:5432/database"


class Database:
    """Connections to one database. `workload` names the schema in PostgreSQL."""

    def __init__(self, url: str, workload: str) -> None:
        scheme = url.partition(":")[0]
        self.is_shared = bool(_POSTGRESQL.match(scheme))
        self.schema = schema_name(workload) if self.is_shared else None
        self._password: str | None = None
        self._lock: int | None = None
        if self.is_shared:
            self.engine = self._postgresql(url)
        elif scheme.startswith("sqlite"):
            self.engine = _sqlite(url)
        else:
            raise StoreError(f"its URL is neither a SQLite file nor of the form {_FORM}")
        self._writers = None if self.is_shared else GroupCommit(self.engine, **{_WRITES: True})

    def _postgresql(self, url: str) -> AsyncEngine:
        parts = _checked(url)
        self._password = unquote(parts.password) if parts.password else None
        # With the URL as it is: the driver reads sslmode, sslrootcert and the others as libpq does.
        dsn = "postgresql" + url[url.index(":") :]

        async def connect(*_: Any, **__: Any) -> Any:
            import asyncpg

            return await asyncpg.connect(dsn, timeout=CONNECT_SECONDS, command_timeout=60)

        options: dict[str, Any] = {"pool_size": 5, "max_overflow": 10, "pool_pre_ping": True, "pool_timeout": 10}
        engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, **options)
        return engine.execution_options(schema_translate_map={None: self.schema})

    @property
    def file(self) -> Path | None:
        """The SQLite file."""
        path = self.engine.url.database
        return Path(path) if path and not self.is_shared and path != ":memory:" else None

    def clock(self) -> ColumnElement[float]:
        """Seconds since 1970, by the clock that all who share the database have in common."""
        if not self.is_shared:
            return literal(time.time())
        return cast(extract("epoch", func.clock_timestamp()), Double)

    @asynccontextmanager
    async def read(self, *, is_long: bool = False) -> AsyncIterator[AsyncConnection]:
        """A connection to read with; `is_long` when it may read much. Raises StoreUnavailableError."""
        with _told():
            async with self.engine.connect() as connection:
                if not is_long or self.is_shared:
                    yield connection
                    return
                driver = (await connection.get_raw_connection()).driver_connection
                assert isinstance(driver, Connection)
                driver.in_thread = True
                try:
                    yield connection
                finally:
                    driver.in_thread = False

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction, committed at the end of the block. Raises StoreUnavailableError."""
        with _told():
            if self._writers is not None:
                async with self._writers.write() as connection:
                    yield connection
            else:
                async with self.engine.begin() as connection:
                    yield connection

    async def lock_file(self) -> None:
        """Take a SQLite file for this process. Raises StoreError when another one keeps it."""
        if self.file is None:
            return
        # Asked of the file system first: aiosqlite's thread prints a traceback when the loop ends after a failed open.
        if not os.access(self.file.parent, os.W_OK):
            raise StoreError(f"{self.file.parent} is not a folder that can be written")
        self._lock = os.open(f"{self.file}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + LOCK_SECONDS  # a pod that ends may still hold the volume
        while not _is_locked(self._lock):
            if time.monotonic() > deadline:
                raise StoreError(f"{self.file} is in use by another process; several can share PostgreSQL")
            await asyncio.sleep(0.1)

    async def close(self) -> None:
        """Close every connection."""
        if self._writers is not None:
            await self._writers.close()
        await self.engine.dispose()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def explain(self, error: BaseException) -> StoreError:
        """The error for people, on one line, without the password."""
        if isinstance(error, StoreUnavailableError):
            error = error.__cause__ or error
        cause: Any = getattr(error, "orig", None) or error
        cause = getattr(cause, "__cause__", None) or cause
        if isinstance(cause, ValueError) and self.is_shared:  # the driver quotes the part of the URL it cannot read
            return StoreError(f"its URL is not of the form {_FORM}")
        told = " ".join(str(cause).split())
        if self._password:
            told = told.replace(self._password, "***")
        return StoreError(f"{type(cause).__name__}: {told[:200]}")


def schema_name(workload: str) -> str:
    """The schema of a workload: readable, and of at most 63 bytes as PostgreSQL wants names."""
    readable = re.sub(r"[^a-z0-9]+", "_", workload.lower()).strip("_")[:40]
    return f"kagent_{readable}_{hashlib.sha256(workload.encode()).hexdigest()[:8]}"


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise StoreError(
            f"its URL is not of the form {_FORM}; special characters of the password are written %XX"
        ) from None
    if not parts.hostname and "host=" not in parts.query:
        raise StoreError(f"its URL names no host: the form is {_FORM}")
    return parts


def _sqlite(url: str) -> AsyncEngine:
    full = make_url(url).set(drivername="sqlite+aiosqlite")
    engine = create_async_engine(full, async_creator=creator(full.database or ":memory:"))
    event.listen(engine.sync_engine, "connect", _configure_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    # FULL: a message is acknowledged only when it is on the disk.
    for pragma in ("busy_timeout=5000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    # At once: a transaction that first reads and then writes is refused when another one wrote meanwhile.
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: then the volume's access mode has to keep others away
        return True
    return True


class _told:
    """Turns what a lost connection raises into one error."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        if is_unavailable(error):
            raise StoreUnavailableError(type(error).__name__) from error


def is_unavailable(error: BaseException | None) -> bool:
    """Whether a later attempt may succeed."""
    if isinstance(error, DBAPIError) and (error.connection_invalidated or isinstance(error, InterfaceError)):
        return True
    if isinstance(error, OperationalError):
        return True
    return isinstance(error, (OSError, TimeoutError)) or type(error).__name__ in _GONE


# Of asyncpg, which is not imported where it is not used: the server goes, refuses for now, or has gone.
_GONE = {
    "AdminShutdownError",
    "CannotConnectNowError",
    "ConnectionDoesNotExistError",
    "CrashShutdownError",
    "TooManyConnectionsError",
}
