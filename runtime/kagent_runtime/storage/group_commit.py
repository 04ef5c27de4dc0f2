"""One connection that writes to a SQLite file, with one commit for all that came together.

A commit waits for the disk, and SQLite has one writer: of many that each commit for themselves, most would poll for the
lock. Here they queue, each in a savepoint of its own, and none returns before its commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncTransaction


class GroupCommit:
    """The writers of one process. `options` are those of the connection."""

    def __init__(self, engine: AsyncEngine, **options: object) -> None:
        self._engine, self._options = engine, options
        self._lock = asyncio.Lock()  # first come, first served
        self._connection: AsyncConnection | None = None
        self._transaction: AsyncTransaction | None = None
        self._written: list[asyncio.Future[None]] = []
        self._committing: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A part of a transaction, which is on the disk after the block. Raises what the commit raises."""
        is_on_disk: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        async with self._lock:
            connection = await self._begun()
            async with connection.begin_nested():
                yield connection
            self._written.append(is_on_disk)
            if self._committing is None:
                # It queues behind those that wait already: all of them are in its commit. A task of its own, for a
                # writer may be cancelled when others have written after it.
                self._committing = asyncio.create_task(self._commit(), name="commit")
        await is_on_disk

    async def close(self) -> None:
        """Commit what is written, and close the connection."""
        if self._committing is not None:
            await asyncio.wait([self._committing])
        async with self._lock:
            if self._connection is not None:
                await self._connection.close()
                self._connection = None

    async def _begun(self) -> AsyncConnection:
        if self._connection is None:
            connection = await self._engine.connect()
            self._connection = await connection.execution_options(**self._options)
        if self._transaction is None:
            self._transaction = await self._connection.begin()
        return self._connection

    async def _commit(self) -> None:
        async with self._lock:
            written, self._written, self._committing = self._written, [], None
            transaction, self._transaction = self._transaction, None
            failure: Exception | None = None
            try:
                assert transaction is not None
                await transaction.commit()
            except Exception as error:  # the disk is full, say: of all of them nothing was written
                failure = error
                await self._drop()
        for future in written:
            if future.done():
                continue  # its writer was cancelled, and does not know either way
            if failure is None:
                future.set_result(None)
            else:
                future.set_exception(failure)

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.invalidate()
            await connection.close()
