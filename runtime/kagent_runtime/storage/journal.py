"""What an open run has asked and got, call by call."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from kagent_runtime.storage.database import Database
from kagent_runtime.storage.ownership import Token, still_own
from kagent_runtime.storage.tables import JOURNAL


@dataclass(frozen=True, slots=True)
class Entry:
    """A call. `outcome` is None when it was begun, and nobody knows how it ended."""

    slot: str
    fingerprint: str
    about: str
    outcome: str | None


class JournalStore:
    """The entries of open runs; they go with the end of the run."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def entries(self, run_id: str) -> list[Entry]:
        """All of a run."""
        query = select(JOURNAL.c.slot, JOURNAL.c.fingerprint, JOURNAL.c.about, JOURNAL.c.outcome)
        async with self._database.read() as connection:
            return [Entry(*row) for row in await connection.execute(query.where(JOURNAL.c.run_id == run_id))]

    async def put(self, token: Token, entry: Entry) -> None:
        """Write an entry, or the outcome of one that was begun. Raises LostRunError."""
        async with self._database.write() as connection:
            await still_own(connection, token)
            await _put(connection, token.run_id, entry)


async def _put(connection: AsyncConnection, run_id: str, entry: Entry) -> None:
    where = (JOURNAL.c.run_id == run_id, JOURNAL.c.slot == entry.slot)
    values = {"fingerprint": entry.fingerprint, "about": entry.about, "outcome": entry.outcome}
    if not (await connection.execute(update(JOURNAL).where(*where).values(**values))).rowcount:
        await connection.execute(insert(JOURNAL).values(run_id=run_id, slot=entry.slot, **values))
