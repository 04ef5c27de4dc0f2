"""Conversations: one run at a time in each, in whichever process it is."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Container
from contextlib import aclosing

from kagent_runtime import audit
from kagent_runtime.admission import Admission, Overloaded, Ticket
from kagent_runtime.approvals import Decision, NotWaitingError, Verdict, decided
from kagent_runtime.auth.identity import CALLER, Identity, owner
from kagent_runtime.depth import DEPTH
from kagent_runtime.engine import Engine, Usage
from kagent_runtime.events import event
from kagent_runtime.hub import Hub
from kagent_runtime.model import RunLimits
from kagent_runtime.replica import Replica
from kagent_runtime.storage.ownership import Ask, OpenRun
from kagent_runtime.store import (
    Event,
    LostRunError,
    NoSessionError,
    SessionBusyError,
    SessionRow,
    Store,
    Token,
)
from kagent_runtime.turn import STOP_SECONDS, End, Past, Turn, interrupted, write_decision

EXPIRY_SECONDS = 900.0
MAX_DEATHS = 3
_GOES_ON = "The server was interrupted during this turn, which goes on now."


class Busy(Exception):
    """The session has a run already."""


class Draining(Exception):
    """The process is about to end and takes no new messages."""


class Sessions:
    """The sessions of a store, with one engine.

    `limits` bound every run; a call that waits for an approval is denied after `expiry_seconds`.
    """

    def __init__(
        self,
        store: Store,
        engine: Engine,
        limits: RunLimits | None = None,
        expiry_seconds: float = EXPIRY_SECONDS,
        admission: Admission | None = None,
    ) -> None:
        self._admission = admission or Admission()
        self._store, self._engine = store, engine
        self._seconds, self._expiry_seconds = limits.seconds if limits else None, expiry_seconds
        self._turns: dict[str, Turn] = {}  # by run
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._starting: set[str] = set()
        self.hub = Hub()
        self._replica = Replica(uuid.uuid4().hex, store, self.hub, self._turns, self._resume)
        self.is_draining = False

    async def recover(self) -> None:
        """Go on with the runs that a dead process left, now and whenever one dies."""
        await self._replica.start()

    def status(self, session_id: str) -> str:
        """What happens here: `running`, `waiting` (for an approval) or `idle`. The database knows of all processes."""
        turn = self._turn(session_id)
        if turn is not None and turn.approvals.is_waiting:
            return "waiting"
        return "running" if turn is not None or session_id in self._starting else "idle"

    def _turn(self, session_id: str) -> Turn | None:
        return next((turn for turn in self._turns.values() if turn.token.session_id == session_id), None)

    async def create(self, title: str) -> SessionRow:
        """A new session."""
        return await self._store.create_session(uuid.uuid4().hex, title)

    async def delete(self, session_id: str) -> None:
        """Stop what runs and remove the session. A process elsewhere that runs it finds that it is gone."""
        turn = self._turn(session_id)
        if turn is not None:
            turn.end()
            if (task := self._tasks.get(turn.token.run_id)) is not None:
                await asyncio.wait([task])
        await self._store.delete(session_id)
        self.hub.close(session_id)

    async def send(self, session_id: str, content: str, key: str | None = None) -> tuple[str, int]:
        """Start a run; returns its id and the sequence number of the message, which is committed by then.

        A message with a `key` is accepted once. Raises Busy, Draining, Overloaded, DuplicateMessage and NoSessionError.
        """
        if self.is_draining:
            raise Draining
        if self.status(session_id) != "idle":
            raise Busy
        ticket = self._admission.admit()
        self._starting.add(session_id)
        try:
            token = Token(uuid.uuid4().hex, session_id, self._replica.id, 0)
            run_id = token.run_id
            first = [event("message.user", run_id, content=content), event("run.started", run_id)]
            turn = self._prepared(token, ticket)
            try:
                stored = await self._begin(turn, first, key)
            except SessionBusyError:
                raise Busy from None
            self.hub.publish(session_id, stored)
            self._start(turn, content, self._seconds)
        except BaseException:
            ticket.end()
            raise
        finally:
            self._starting.discard(session_id)
        return run_id, stored[0]["seq"]

    def _prepared(self, token: Token, ticket: Ticket, past: Past | None = None) -> Turn:
        return Turn(self._store, self._engine, self.hub, token, self._expiry_seconds, ticket, past)

    async def _begin(self, turn: Turn, first: list[Event], key: str | None) -> list[Event]:
        # On the list before it is in the database: a takeover must not find a run that nobody is at.
        self._turns[turn.token.run_id] = turn
        try:
            return await self._store.begin_run(turn.token, first, key, self._engine.config_version, DEPTH.get())
        except BaseException:
            del self._turns[turn.token.run_id]
            raise

    def _start(self, turn: Turn, content: str, seconds_left: float | None) -> None:
        run_id = turn.token.run_id
        self._turns[run_id] = turn
        task = self._tasks[run_id] = turn.start(content, self._seconds, seconds_left)

        def ended(_task: asyncio.Task[None]) -> None:
            self._turns.pop(run_id, None)
            self._tasks.pop(run_id, None)

        task.add_done_callback(ended)

    async def _resume(self, run: OpenRun) -> None:
        """Go on with a run that was left, or close it with a reason when that cannot be."""
        token = await self._store.ownership.take(run, self._replica.id)
        if token is None:
            return
        log = [item for item in await self._store.events(run.session_id, 0) if item.get("runId") == run.id]
        asked = await self._store.decisions.of_run(run.id)
        past = Past(await self._store.journal.entries(run.id), asked, log)
        content = next((item["content"] for item in log if item["type"] == "message.user"), None)
        why = self._why_not(run, content)
        if content is None or why is not None or run.asked == "cancel":
            cancelled = End("cancelled", Usage(), reason="cancelled")
            await self._close(token, past, cancelled if run.asked == "cancel" else interrupted(why or "", past))
            return
        note = event("notice", run.id, content=_GOES_ON)
        self.hub.publish(run.session_id, await self._store.append(token, [note]))
        DEPTH.set(run.depth)
        left = None if self._seconds is None or run.started is None else self._seconds - (time.time() - run.started)
        turn = self._prepared(token, self._admission.readmit(), past)
        if run.asked == "finish":
            turn.stop.finish()
        # The task of the run begins with it; this one goes on as the process itself.
        caller = CALLER.set(None if run.caller is None else Identity(run.caller))
        try:
            self._start(turn, content, left)
        finally:
            CALLER.reset(caller)

    def _why_not(self, run: OpenRun, content: str | None) -> str | None:
        if content is None:
            return "its message is not in the log"
        if run.config_version != self._engine.config_version:
            return "the agent is not the same any more"
        deaths = run.deaths + (run.owner is not None)
        return "again when it was gone on with" if deaths >= MAX_DEATHS else None

    async def _close(self, token: Token, past: Past, end: End) -> None:
        decision = Decision("deny", "cancel", "the run was stopped")
        for call in past.asked:
            if call.decision is None:
                await write_decision(self._store, self.hub, token.session_id, call.id, decision)
        final, version = end.event(token.run_id), self._engine.state_version
        self.hub.publish(token.session_id, await self._store.end_run(token, end.outcome, final, None, version))

    async def decide(self, session_id: str, call_id: str, verdict: Verdict, reason: str | None) -> None:
        """Approve or deny a call that waits, wherever its run is. Raises NotWaitingError."""
        decision = Decision(verdict, "person", reason, owner() or None)
        call = await write_decision(self._store, self.hub, session_id, call_id, decision)
        if call is None:
            found = await self._store.decisions.find(session_id, call_id)
            raise NotWaitingError(is_decided=found is not None)
        audit.decision(session_id, call_id, verdict)
        if (turn := self._turns.get(call.run_id)) is not None:
            turn.approvals.decided(call.id, decided(call) or decision)

    def cancel(self, session_id: str) -> bool:
        """Ask a run of this process to stop; whether there was one."""
        turn = self._turn(session_id)
        if turn is not None:
            turn.end()
        return turn is not None

    def finish(self, session_id: str) -> bool:
        """Ask a run of this process to stop after its current turn; whether there was one."""
        turn = self._turn(session_id)
        if turn is not None:
            turn.stop.finish()
        return turn is not None

    async def ask_to_end(self, session_id: str, what: Ask) -> bool:
        """Ask the run of a session to stop, in whichever process it is; whether there was one."""
        is_here = self.cancel(session_id) if what == "cancel" else self.finish(session_id)
        return is_here or await self._store.ownership.ask(session_id, what)

    async def follow(self, session_id: str, after: int) -> AsyncIterator[Event]:
        """The log after a sequence number, then live events, without gap or repeat, until the hub closes.

        Pieces of a message that is being written are only told by the process that has the run.
        """
        with self.hub.subscribe(session_id) as live:
            last, whole = after, set()
            for item in await self._store.events(session_id, after):
                last = item["seq"]
                whole.add(item.get("messageId"))
                yield item
            async with aclosing(self.in_order(session_id, live, last, whole)) as rest:
                async for item in rest:
                    yield item

    async def in_order(
        self, session_id: str, live: AsyncIterator[Event], last: int, whole: Container[str | None] = ()
    ) -> AsyncGenerator[Event, None]:
        """Live events after a sequence number, without gap or repeat. `whole`: messages that were told already."""
        async for item in live:
            if "seq" not in item:
                # Pieces of a message that was already replayed whole would show it twice.
                if item["messageId"] not in whole:
                    yield item
                continue
            # Two processes may write to one log: what overtook its predecessor waits for it.
            missing = await self._store.events(session_id, last) if item["seq"] > last + 1 else [item]
            for one in missing:
                if one["seq"] > last:
                    last = one["seq"]
                    yield one

    async def drain(self, seconds: float) -> None:
        """Take no new messages, let runs finish, and give up those that do not within the time, for others to go on.

        A run that waits for a person, or for a place, is given up at once: nobody knows when that comes.
        """
        self.is_draining = self._replica.is_leaving = True
        while self._starting:  # acknowledged a moment ago, or about to be
            await asyncio.sleep(0.01)
        deadline = time.monotonic() + seconds
        while self._turns and time.monotonic() < deadline:
            for turn in list(self._turns.values()):
                if turn.approvals.is_waiting or not turn.ticket.has_place:
                    turn.give_up()
            await asyncio.sleep(0.02)
        for turn in list(self._turns.values()):
            turn.give_up()
        if tasks := list(self._tasks.values()):
            await asyncio.wait(tasks, timeout=STOP_SECONDS + 1)
        await self._replica.leave()
        self.hub.close_all()


__all__ = ["EXPIRY_SECONDS", "Busy", "Draining", "LostRunError", "NoSessionError", "Overloaded", "Sessions"]
