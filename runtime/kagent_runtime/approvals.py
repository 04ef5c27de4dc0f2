"""The calls of one run that wait for a person. A context variable reaches them, in whatever task they are made."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from kagent_runtime.auth.identity import owner
from kagent_runtime.engine import ApprovalDecided, ApprovalRequested

Verdict = Literal["approve", "deny"]
ANNOUNCE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, by whom (`person`, `expiry` or `cancel`), and why."""

    verdict: Verdict
    by: str
    reason: str | None = None
    subject: str | None = None
    """The person, as far as callers are told apart."""


_STOPPED = Decision("deny", "cancel", "the run was stopped")


class NotWaitingError(Exception):
    """No call of this id waits. `is_decided`: one did."""

    def __init__(self, *, is_decided: bool) -> None:
        super().__init__()
        self.is_decided = is_decided


class Approvals:
    """Holds calls until a decision, the expiry or a cancel. `used` are the ids that the session has seen."""

    def __init__(
        self,
        record: Callable[[ApprovalRequested | ApprovalDecided], Awaitable[None]],
        seconds: float,
        used: set[str],
    ) -> None:
        self._record, self._seconds, self._used = record, seconds, used
        self._waiting: dict[str, asyncio.Future[Decision]] = {}
        self._announced: dict[str, asyncio.Semaphore] = {}  # counted, for models that repeat the ids of calls
        self._idle = asyncio.Event()
        self._is_closed = False

    @property
    def is_waiting(self) -> bool:
        """Whether a call waits for a person now."""
        return bool(self._waiting)

    def announce(self, call_id: str) -> None:
        """The log has the call: its approval may be asked for."""
        self._announcement(call_id).release()

    async def ask(self, call_id: str, agent: str, name: str, arguments: dict[str, Any], token: Any) -> Decision:
        """Wait for the decision on exactly this call. Never raises: AutoGen waits for ever for a tool that does."""
        try:
            # A team reports the call through a queue of its own, which may be slower than the call itself.
            await asyncio.wait_for(self._announcement(call_id).acquire(), ANNOUNCE_SECONDS)
        except (TimeoutError, asyncio.CancelledError):
            pass
        if self._is_closed:
            return _STOPPED
        id = self._unused(call_id)
        future: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()
        if token is not None:
            token.link_future(future)
        self._waiting[id] = future
        try:
            await self._record(ApprovalRequested(id, agent, name, copy.deepcopy(arguments), self._expiry()))
            decision = await self._decision(future)
            await self._record(ApprovalDecided(id, agent, name, decision.verdict, decision.by, decision.reason))
            return decision
        finally:
            del self._waiting[id]
            self._idle.set()

    async def close(self) -> None:
        """End what still waits, and let it be recorded: nothing may follow the end of the run."""
        self._is_closed = True
        for future in self._waiting.values():
            future.cancel()
        while self._waiting:
            self._idle.clear()
            await self._idle.wait()

    def _expiry(self) -> str:
        at = datetime.now(UTC) + timedelta(seconds=self._seconds)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    async def _decision(self, future: asyncio.Future[Decision]) -> Decision:
        try:
            return await asyncio.wait_for(future, self._seconds)
        except TimeoutError:
            return Decision("deny", "expiry", f"nobody decided within {self._seconds:g} s")
        except asyncio.CancelledError:
            return _STOPPED

    def decide(self, id: str, verdict: Verdict, reason: str | None) -> None:
        """A person's decision; the first one holds. Raises NotWaitingError."""
        future = self._waiting.get(id)
        if future is None or future.done():
            raise NotWaitingError(is_decided=id in self._used)
        future.set_result(Decision(verdict, "person", reason, owner()))

    def _announcement(self, call_id: str) -> asyncio.Semaphore:
        return self._announced.setdefault(call_id, asyncio.Semaphore(0))

    def _unused(self, call_id: str) -> str:
        """The call's id; with a number when the model repeats ids, so that a decision never meets another call."""
        id, number = call_id, 1
        while id in self._used:
            number += 1
            id = f"{call_id}-{number}"
        self._used.add(id)
        return id


APPROVALS: ContextVar[Approvals | None] = ContextVar("APPROVALS", default=None)
