"""The journal of one run: what its models answered and its tools returned, so that it can be played again.

AutoGen cannot be resumed in the middle of a turn. But a turn is a function of the state before it, the message, and
what models and tools answer. So after a crash the turn is begun again from the last saved state, and every call that
the journal knows is answered from it: the turn arrives where it was, and goes on with real calls from there. A call
that was begun and has no outcome is made again only when its tool merely reads, or can find what became of it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from kagent_runtime.storage.errors import LostRunError, StoreUnavailableError
from kagent_runtime.storage.journal import Entry, JournalStore
from kagent_runtime.storage.ownership import Token

UNKNOWN = (
    "it is unknown whether this call ran: the server was interrupted while it was being made. "
    "It was not made again. Find out before you make it again."
)


class DivergedError(Exception):
    """The run asks for something else than before it was interrupted."""


class Slot:
    """One call of a run: what the journal knows of it, and where its outcome is written."""

    def __init__(self, journal: Journal, entry: Entry, *, is_known: bool) -> None:
        self._journal, self._entry = journal, entry
        self.is_unknown = is_known and entry.outcome is None
        """Whether the call was begun by a process that died, and nobody knows how it ended."""

    @property
    def id(self) -> str:
        """What names the call among all calls of all runs, also after it was interrupted."""
        return fingerprint_of([self._journal.run_id, self._entry.slot])

    @property
    def outcome(self) -> str | None:
        """What the call returned, when it was made before."""
        return self._entry.outcome

    async def begin(self) -> None:
        """Write that the call is about to be made. Raises LostRunError: then it must not be."""
        await self._journal.write(self._entry)

    async def finish(self, outcome: str) -> None:
        """Write what it returned."""
        entry = Entry(self._entry.slot, self._entry.fingerprint, self._entry.about, outcome)
        await self._journal.write(entry)


class Journal:
    """`on_lost` is called when the run turns out to be another process's."""

    def __init__(
        self, store: JournalStore, token: Token, entries: Iterable[Entry], on_lost: Callable[[], None]
    ) -> None:
        self._store, self._token, self._on_lost = store, token, on_lost
        self.run_id = token.run_id
        self._known = {entry.slot: entry for entry in entries}
        self._met: Counter[str] = Counter()
        self._on_diverged: Callable[[], None] | None = None
        self.is_closed = False
        self.has_diverged = False

    def when_diverged(self, callback: Callable[[], None]) -> None:
        """Have the run stopped when it takes another way than before."""
        self._on_diverged = callback

    def slot(self, kind: str, place: str, fingerprint: str, about: str = "") -> Slot:
        """The next call of this kind at this place of the tree. Raises DivergedError when it was another one before.

        Calls of one place come one after the other, so that their number finds them again.
        """
        number = self._met[f"{kind} {place}"]
        self._met[f"{kind} {place}"] += 1
        id = fingerprint_of([kind, place, number])
        known = self._known.get(id)
        if known is not None and known.fingerprint != fingerprint:
            self.has_diverged = True
            if self._on_diverged is not None:
                self._on_diverged()
            raise DivergedError
        return Slot(self, known or Entry(id, fingerprint, about, None), is_known=known is not None)

    async def write(self, entry: Entry) -> None:
        """Write an entry, unless the run was given up: how a call ends then is unknown."""
        if self.is_closed:
            raise LostRunError
        try:
            await self._store.put(self._token, entry)
        except (LostRunError, StoreUnavailableError):
            self._on_lost()
            raise


def fingerprint_of(value: Any) -> str:
    """Equal for equal values."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


JOURNAL: ContextVar[Journal | None] = ContextVar("JOURNAL", default=None)


@dataclass(frozen=True, slots=True)
class Call:
    """The call that a workbench carries out: its name, and whether a process died that was carrying it out before."""

    id: str
    is_again: bool


CALL: ContextVar[Call | None] = ContextVar("CALL", default=None)
