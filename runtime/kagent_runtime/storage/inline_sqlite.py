"""SQLite for SQLAlchemy's asyncio, with statements run where they are: a thread costs more than most of them do.

aiosqlite hands every call to a thread of the connection and back, three times a statement, which was half of what a
turn cost. A statement on a page that is in memory takes microseconds. What waits for the disk is given to a thread here
too: a commit always, and the statements of a connection that says so (`in_thread`).
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self, TypeVar

_T = TypeVar("_T")


class Cursor:
    """What SQLAlchemy's adapter for aiosqlite calls of a cursor."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._cursor = connection, connection.driver.cursor()

    async def __aenter__(self) -> Self:
        return self

    def __getattr__(self, name: str) -> Any:  # description, rowcount, lastrowid, arraysize
        return getattr(self._cursor, name)

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement. Raises sqlite3.Error."""
        await self._connection.run(lambda: self._cursor.execute(statement, parameters))

    async def executemany(self, statement: str, parameters: Iterable[Sequence[Any]]) -> None:
        """Run a statement for each of the parameters. Raises sqlite3.Error."""
        await self._connection.run(lambda: self._cursor.executemany(statement, parameters))

    async def fetchall(self) -> list[Any]:
        """The rows that are left."""
        return await self._connection.run(self._cursor.fetchall)

    async def close(self) -> None:
        """Close the cursor."""
        self._cursor.close()


class Connection:
    """What SQLAlchemy's adapter for aiosqlite calls of a connection. One task uses it at a time."""

    def __init__(self, path: str) -> None:
        # No isolation level: transactions begin where we say, not at the first change.
        self._connection: sqlite3.Connection | None = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False
        )
        self.in_thread = False

    @property
    def driver(self) -> sqlite3.Connection:
        """The connection. Raises ValueError after its end, as aiosqlite does."""
        if self._connection is None:
            raise ValueError("Connection closed")
        return self._connection

    async def run(self, call: Callable[[], _T]) -> _T:
        """What the call returns, made here or in a thread."""
        return await asyncio.to_thread(call) if self.in_thread else call()

    def cursor(self) -> Cursor:
        """A new cursor."""
        return Cursor(self)

    async def create_function(self, *arguments: Any, **options: Any) -> None:
        """Have SQL call a function."""
        self.driver.create_function(*arguments, **options)

    async def commit(self) -> None:
        """Commit in a thread: it waits for the disk."""
        driver = self.driver
        if driver.in_transaction:
            await asyncio.to_thread(driver.commit)

    async def rollback(self) -> None:
        """End the transaction as if it had not been."""
        self.driver.rollback()

    async def close(self) -> None:
        """Close it; more than once does nothing."""
        self.stop()

    def stop(self) -> None:
        """Close it at once."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def creator(path: str) -> Callable[[], Any]:
    """For `create_async_engine(async_creator=…)`."""

    async def connect() -> Connection:
        return Connection(path)

    return connect
