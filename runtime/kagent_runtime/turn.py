"""One run of a session in this process: the engine's events to the log, and its end."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kagent_runtime import audit
from kagent_runtime.admission import Ticket
from kagent_runtime.approvals import APPROVALS, Approvals, Decision, decided, decided_event, requested_event
from kagent_runtime.engine import (
    Cancelled,
    Delta,
    Engine,
    EngineError,
    EngineEvent,
    Finished,
    Limited,
    State,
    Stop,
    ToolCall,
    Usage,
)
from kagent_runtime.events import as_event, finished
from kagent_runtime.hub import Hub
from kagent_runtime.journal import JOURNAL, Journal
from kagent_runtime.storage.decisions import AskedCall
from kagent_runtime.storage.journal import Entry
from kagent_runtime.store import Event, LostRunError, NoSessionError, Store, StoreUnavailableError, Token
from kagent_runtime.telemetry import spans

_log = logging.getLogger(__name__)
STOP_SECONDS = 5.0
INTERRUPTED = "Interrupted"
_GONE = (LostRunError, StoreUnavailableError, NoSessionError)


@dataclass(frozen=True, slots=True)
class End:
    """How a run ended."""

    outcome: str
    usage: Usage
    reason: str | None = None
    error: dict[str, str] | None = None
    state: State | None = None

    def event(self, run_id: str) -> Event:
        """The last event of the run."""
        return finished(run_id, self.outcome, self.reason, self.usage, self.error)


def failed(title: str, detail: str, usage: Usage | None = None) -> End:
    """The end of a run that failed."""
    return End("failed", usage or Usage(), error={"title": title, "detail": detail})


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of a run that another process began: its journal, its questions, its events."""

    entries: Sequence[Entry] = ()
    asked: Sequence[AskedCall] = ()
    events: Sequence[Event] = ()

    def untold(self) -> Counter[str]:
        """The tools whose calls have an outcome in the journal and none in the log, where the process died between."""
        made = Counter(entry.about for entry in self.entries if entry.about and entry.outcome is not None)
        return made - Counter(event["name"] for event in self.events if event["type"] == "tool.result")


def interrupted(why: str, past: Past) -> End:
    """The end of a run that cannot go on after its process died; it says which calls ran, or may have."""
    unknown = sorted({entry.about for entry in past.entries if entry.about and entry.outcome is None})
    calls = f"; it is unknown whether its calls of {', '.join(unknown)} ran" if unknown else ""
    untold = sorted(past.untold())
    calls += f"; its calls of {', '.join(untold)} ran, and what they returned was not told" if untold else ""
    return failed(INTERRUPTED, f"the process ended during this turn, and {why}{calls}; send the message again")


class Turn:
    """Plays a run to its end; `lost` is called when it turns out to be another process's."""

    def __init__(
        self,
        store: Store,
        engine: Engine,
        hub: Hub,
        token: Token,
        expiry_seconds: float,
        ticket: Ticket,
        past: Past | None = None,
    ) -> None:
        self.ticket = ticket
        self._store, self._engine, self._hub, self.token = store, engine, hub, token
        past = past or Past()
        self._past, self._told = past, Counter(_gist(event) for event in past.events)
        self.stop = Stop()
        self.stop.on_request(ticket.wake)
        self.approvals = Approvals(self, token.run_id, expiry_seconds, past.asked, ticket.paused)
        self._journal = Journal(store.journal, token, past.entries, self.give_up)
        self._journal.when_diverged(self.stop.request)
        self._recording = asyncio.Lock()
        self._deadline = _Deadline()
        self._task: asyncio.Task[None] | None = None
        self.is_given_up = self.is_ending = False

    def start(self, content: str, limit_seconds: float | None, seconds_left: float | None) -> asyncio.Task[None]:
        """Begin, in a task of its own that no client's disconnect ends; the time counts from when there is a place."""
        playing = self._run(content, limit_seconds, seconds_left)
        self._task = asyncio.create_task(playing, name=f"run-{self.token.run_id}")
        return self._task

    @property
    def is_started(self) -> bool:
        """Whether the run is in the database and has begun."""
        return self._task is not None

    def end(self, limit: str | None = None) -> None:
        """Ask the engine to stop; cut it off when it does not. `limit` is the reason when it is a limit."""
        self.stop.request(limit)
        if self._task is not None:
            self._deadline.start(self._task)

    def give_up(self) -> None:
        """Stop without an end: another process, or this one later, goes on with the run."""
        # First of all the marks: what the stop breaks must not be written.
        self.is_given_up = self._journal.is_closed = self.approvals.is_given_up = True
        self.end()

    async def _run(self, content: str, limit_seconds: float | None, seconds_left: float | None) -> None:
        spans.CONVERSATION.set(self.token.session_id)
        audit.RUN.set(self.token.run_id)
        APPROVALS.set(self.approvals)
        JOURNAL.set(self._journal)
        end = await self._play(content, limit_seconds, seconds_left)
        if self.is_given_up:
            return
        self.is_ending = True
        try:
            stored = await self._store.end_run(
                self.token, end.outcome, end.event(self.token.run_id), end.state, self._engine.state_version
            )
        except Exception as failure:
            # The database is away, or the disk is full: the run is open still, and is gone on with later.
            _log.error("a run's end was not stored", extra={"run": self.token.run_id, "error": type(failure).__name__})
            self.is_given_up = True
            return
        self._hub.publish(self.token.session_id, stored)

    async def _play(self, content: str, limit_seconds: float | None, seconds_left: float | None) -> End:
        try:
            await self._place()
            if limit_seconds is not None and seconds_left is not None:
                reason = f"time limit of {limit_seconds:g} s reached"
                self._deadline.bound(max(seconds_left, 0), lambda: self.end(reason))
            end = await self._to_its_end(content)
            return end or failed("The run failed", "The agent ended without an answer.")
        except (Exception, asyncio.CancelledError) as failure:
            if isinstance(failure, _GONE):
                self.give_up()
            return self._ending(failure)
        finally:
            self._deadline.cancel()
            try:
                await self.approvals.close()
            except _GONE:
                self.give_up()
            self.ticket.end()

    async def _place(self) -> None:
        """Wait for a place. Raises Cancelled."""
        await self.ticket.wait()
        if self.stop.is_requested:
            raise Cancelled(Usage())

    async def _to_its_end(self, content: str) -> End | None:
        before = await self._store.state(self.token.session_id)
        end = None
        # To its own end, here: a generator that the garbage collector closes ends in another context, where
        # OpenTelemetry cannot detach its spans.
        async for item in self._engine.run(content, before, self.stop):
            if isinstance(item, Finished):
                outcome = "limited" if item.is_limited else "completed"
                end = End(outcome, item.usage, reason=item.stop_reason, state=item.state)
                continue
            await self._record(item)
            if isinstance(item, ToolCall):
                self.approvals.announce(item.call_id)
        if self._journal.has_diverged:
            raise Cancelled(end.usage if end else Usage())
        return end

    def _ending(self, failure: BaseException) -> End:
        if self._journal.has_diverged:
            return interrupted("what it had done cannot be repeated", self._past)
        match failure:
            case Limited():
                return End("limited", failure.usage, reason=str(failure))
            case Cancelled() | asyncio.CancelledError():
                usage = failure.usage if isinstance(failure, Cancelled) else Usage()
                limit = self.stop.limit
                outcome, reason = ("limited", limit) if limit else ("cancelled", "cancelled")
                return End(outcome, usage, reason=reason)
            case EngineError():
                return failed(failure.title, failure.detail, failure.usage)
        if not self.is_given_up:
            # The text of an unknown exception may hold anything, so only its type is told.
            extra = {"session": self.token.session_id, "error": type(failure).__name__}
            _log.error("run failed", extra=extra)
        return failed("Internal error", type(failure).__name__)

    async def _record(self, item: EngineEvent) -> None:
        told = as_event(self.token.run_id, item)
        if self.is_given_up:
            return  # whoever goes on with the run tells what happens, not what the giving up broke
        if isinstance(item, Delta):
            self._hub.publish(self.token.session_id, [told])  # live only: the whole message follows
        elif self._told[gist := _gist(told)] > 0:
            self._told[gist] -= 1  # it is in the log, from before the interruption
        else:
            async with self._recording:
                self._hub.publish(self.token.session_id, await self._store.append(self.token, [told]))

    async def ask(self, call: AskedCall) -> AskedCall:
        """For Approvals: write a question."""

        def told(asked: AskedCall) -> Event:
            return as_event(self.token.run_id, requested_event(asked))

        # One at a time: calls that are made at once get their ids in that order.
        async with self._recording:
            try:
                asked, event = await self._store.decisions.ask(self.token, call, told)
            except _GONE:
                self.give_up()
                raise
            self._hub.publish(self.token.session_id, [event])
        return asked

    async def decide(self, id: str, decision: Decision) -> Decision:
        """For Approvals: write what was decided without a person, unless one was faster."""
        written = await write_decision(self._store, self._hub, self.token.session_id, id, decision)
        if written is not None:
            return decision
        found = await self._store.decisions.find(self.token.session_id, id)
        return (decided(found) if found else None) or decision


async def write_decision(store: Store, hub: Hub, session_id: str, id: str, decision: Decision) -> AskedCall | None:
    """Decide a call that waits, and tell it; None when none waits under this id."""

    def told(call: AskedCall) -> Event:
        return as_event(call.run_id, decided_event(call))

    found = await store.decisions.decide(session_id, id, decision.verdict, decision.by, decision.reason, told)
    if found is None:
        return None
    hub.publish(session_id, [found[1]])
    return found[0]


def _gist(event: Event) -> str:
    """What an event says, without what is new every time."""
    return json.dumps({k: v for k, v in event.items() if k not in ("seq", "at", "messageId")}, sort_keys=True)


class _Deadline:
    """Cancels a task that does not end by itself: a library that ignores a cancel must not block a session."""

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None
        self._limit: asyncio.TimerHandle | None = None

    def start(self, task: asyncio.Task[None]) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(STOP_SECONDS, task.cancel)

    def bound(self, seconds: float, end: Callable[[], None]) -> None:
        self._limit = asyncio.get_running_loop().call_later(seconds, end)

    def cancel(self) -> None:
        for timer in (self._timer, self._limit):
            if timer is not None:
                timer.cancel()
