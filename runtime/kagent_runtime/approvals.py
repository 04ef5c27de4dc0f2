"""Tool calls that wait for a person. The gate around a workbench asks here; the API answers.

What waits is in the database, and so is the decision: it may come to another process, or after this one has died.
A context variable reaches the gates, in whatever task they are made.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from kagent_runtime.engine import ApprovalDecided, ApprovalRequested
from kagent_runtime.storage.decisions import AskedCall, canonical

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
    preview: str | None = None
    """What the person was shown that the call would change."""


_STOPPED = Decision("deny", "cancel", "the run was stopped")


class NotWaitingError(Exception):
    """No call of this id waits. `is_decided`: one did."""

    def __init__(self, *, is_decided: bool) -> None:
        super().__init__()
        self.is_decided = is_decided


class Register(Protocol):
    """Where the questions and the decisions of a run are written, each with its event."""

    async def ask(self, call: AskedCall) -> AskedCall:
        """Write that the call waits; it gets its id."""

    async def decide(self, id: str, decision: Decision) -> Decision:
        """Write a decision; returns the one that holds, which may be an earlier one."""


class Approvals:
    """Holds calls until a decision, the expiry or a cancel.

    `earlier` are those asked for before an interruption; `pause` is entered while a call waits.
    """

    def __init__(
        self,
        register: Register,
        run_id: str,
        seconds: float,
        earlier: Sequence[AskedCall] = (),
        pause: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._pause = pause
        self._register, self._run_id, self._seconds, self._earlier = register, run_id, seconds, list(earlier)
        self._waiting: dict[str, asyncio.Future[Decision]] = {}
        self._early: dict[str, Decision] = {}
        self._announced: dict[str, asyncio.Semaphore] = {}  # counted, for models that repeat the ids of calls
        self._idle = asyncio.Event()
        self._is_closed = self.is_given_up = False

    @property
    def is_waiting(self) -> bool:
        """Whether a call waits for a person now."""
        return bool(self._waiting)

    def announce(self, call_id: str) -> None:
        """The log has the call: its approval may be asked for."""
        self._announcement(call_id).release()

    async def ask(
        self, call_id: str, agent: str, name: str, arguments: dict[str, Any], token: Any, preview: str | None = None
    ) -> Decision:
        """Wait for the decision on exactly this call; `preview` is what it would change."""
        expires = time.time() + self._seconds
        call = AskedCall("", self._run_id, call_id, agent, name, canonical(arguments), expires, preview=preview)
        earlier = self._asked_before(call)
        if earlier is None:
            try:
                # A team reports the call through a queue of its own, which may be slower than the call itself.
                await asyncio.wait_for(self._announcement(call_id).acquire(), ANNOUNCE_SECONDS)
            except (TimeoutError, asyncio.CancelledError):
                pass
        if self._is_closed:
            return _STOPPED
        if earlier is not None and (decision := decided(earlier)) is not None:
            return decision
        return await self._wait(call, earlier, token)

    async def _wait(self, call: AskedCall, earlier: AskedCall | None, token: Any) -> Decision:
        future: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()
        if token is not None:
            token.link_future(future)
        holder = f"\x00{id(future)}"  # until it has an id: a close must find it
        self._waiting[holder] = future
        try:
            asked = earlier or await self._register.ask(call)
            self._waiting[asked.id] = self._waiting.pop(holder)
            holder = asked.id
            if asked.id in self._early and not future.done():
                future.set_result(self._early.pop(asked.id))
            with self._pause():
                decision = await self._decision(future, asked.expires - time.time())
            if decision.by != "person" and not self.is_given_up:
                decision = await self._register.decide(asked.id, decision)
            return replace(decision, preview=asked.preview)
        finally:
            del self._waiting[holder]
            self._idle.set()

    async def close(self) -> None:
        """End what still waits, and let it be recorded: nothing may follow the end of the run.

        When the run is given up it waits on in the database, for the process that goes on with it.
        """
        self._is_closed = True
        for future in self._waiting.values():
            future.cancel()
        while self._waiting:
            self._idle.clear()
            await self._idle.wait()

    async def _decision(self, future: asyncio.Future[Decision], seconds: float) -> Decision:
        try:
            return await asyncio.wait_for(future, max(seconds, 0))
        except TimeoutError:
            return Decision("deny", "expiry", f"nobody decided within {self._seconds:g} s")
        except asyncio.CancelledError:
            return _STOPPED

    def decided(self, id: str, decision: Decision) -> None:
        """A decision that was written: whoever waits for it goes on."""
        future = self._waiting.get(id)
        if future is None:
            self._early[id] = decision  # between the writing of the question and its waiting
        elif not future.done():
            future.set_result(decision)

    def _asked_before(self, call: AskedCall) -> AskedCall | None:
        """The question that was asked for this very call before an interruption; each is found once."""
        for index, one in enumerate(self._earlier):
            same = (one.call_id, one.agent, one.name, one.arguments)
            if same == (call.call_id, call.agent, call.name, call.arguments):
                return self._earlier.pop(index)
        return None

    def _announcement(self, call_id: str) -> asyncio.Semaphore:
        return self._announced.setdefault(call_id, asyncio.Semaphore(0))


def decided(call: AskedCall) -> Decision | None:
    """The decision on a call, if there is one."""
    if call.decision is None:
        return None
    verdict: Verdict = "approve" if call.decision == "approve" else "deny"
    return Decision(verdict, call.decided_by or "", call.reason, call.subject, call.preview)


def requested_event(call: AskedCall) -> ApprovalRequested:
    """What tells that a call waits."""
    at = datetime.fromtimestamp(call.expires, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return ApprovalRequested(call.id, call.agent, call.name, json.loads(call.arguments), at, call.preview)


def decided_event(call: AskedCall) -> ApprovalDecided:
    """What tells that it waits no longer."""
    return ApprovalDecided(call.id, call.agent, call.name, call.decision or "", call.decided_by or "", call.reason)


APPROVALS: ContextVar[Approvals | None] = ContextVar("APPROVALS", default=None)
# What the person saw who approved the call that is made now: nothing else may be done.
APPROVED_PREVIEW: ContextVar[str | None] = ContextVar("APPROVED_PREVIEW", default=None)
