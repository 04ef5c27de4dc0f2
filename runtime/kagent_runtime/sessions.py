"""Conversations: one run at a time in each, in a task of its own that no client's disconnect ends."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from kagent_runtime import audit
from kagent_runtime.admission import Admission, Ticket
from kagent_runtime.approvals import APPROVALS, Approvals, NotWaitingError, Verdict
from kagent_runtime.engine import (
    ApprovalDecided,
    ApprovalRequested,
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
from kagent_runtime.events import as_event, event, finished
from kagent_runtime.hub import Hub
from kagent_runtime.model import RunLimits
from kagent_runtime.store import Event, SessionRow, Store
from kagent_runtime.telemetry import spans

_log = logging.getLogger(__name__)
STOP_SECONDS = 5.0
EXPIRY_SECONDS = 900.0
_INTERRUPTED = ("Interrupted", "the process ended during this turn; send the message again")


Recorder = Callable[[EngineEvent], Awaitable[None]]


class Busy(Exception):
    """The session has a run already."""


class Draining(Exception):
    """The process is about to end and takes no new messages."""


@dataclass(slots=True)
class _Run:
    id: str
    task: asyncio.Task[None]
    stop: Stop
    deadline: _Deadline
    approvals: Approvals

    def end(self, limit: str | None = None) -> None:
        """Ask the engine to stop; cut it off when it does not. `limit` is the reason when it is a limit."""
        self.stop.request(limit)
        self.deadline.start(self.task)

    def bound(self, seconds: float) -> None:
        """End it when it takes longer."""
        self.deadline.bound(seconds, lambda: self.end(f"time limit of {seconds:g} s reached"))


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


@dataclass(frozen=True, slots=True)
class _End:
    outcome: str
    usage: Usage
    reason: str | None = None
    error: dict[str, str] | None = None
    state: State | None = None


def _failed(title: str, detail: str, usage: Usage | None = None) -> _End:
    return _End("failed", usage or Usage(), error={"title": title, "detail": detail})


def _ending(failure: BaseException, stop: Stop, session_id: str) -> _End:
    match failure:
        case Limited():
            return _End("limited", failure.usage, reason=str(failure))
        case Cancelled() | asyncio.CancelledError():
            usage = failure.usage if isinstance(failure, Cancelled) else Usage()
            outcome, reason = ("limited", stop.limit) if stop.limit else ("cancelled", "cancelled")
            return _End(outcome, usage, reason=reason)
        case EngineError():
            return _failed(failure.title, failure.detail, failure.usage)
    # The text of an unknown exception may hold anything, so only its type is told.
    _log.error("run failed", extra={"session": session_id, "error": type(failure).__name__})
    return _failed("Internal error", type(failure).__name__)


class Sessions:
    """The sessions of this process over one store and one engine.

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
        self._runs: dict[str, _Run] = {}
        self._asked: dict[str, set[str]] = {}  # by session, the ids of calls that waited for an approval
        self._starting: set[str] = set()
        self.hub = Hub()
        self.is_draining = False

    async def recover(self) -> None:
        """Close the runs that a dead process left open, so that their sessions can go on."""
        for session_id, run_id in await self._store.unfinished_runs():
            end = _failed(*_INTERRUPTED)
            final = finished(run_id, end.outcome, None, end.usage, end.error)
            await self._store.end_run(session_id, run_id, end.outcome, final, None, self._engine.state_version)

    def status(self, session_id: str) -> str:
        """`running`, `waiting` (for an approval) or `idle`."""
        run = self._runs.get(session_id)
        if run is not None and run.approvals.is_waiting:
            return "waiting"
        return "running" if session_id in self._runs or session_id in self._starting else "idle"

    async def create(self, title: str) -> SessionRow:
        """A new session."""
        return await self._store.create_session(uuid.uuid4().hex, title)

    async def delete(self, session_id: str) -> None:
        """Stop what runs and remove the session."""
        run = self._runs.get(session_id)
        if run is not None:
            run.end()
            await asyncio.wait([run.task])
        await self._store.delete(session_id)
        self._asked.pop(session_id, None)
        self.hub.close(session_id)

    async def send(self, session_id: str, content: str, key: str | None = None) -> tuple[str, int]:
        """Start a run; returns its id and the sequence number of the message, which is committed by then.

        A message with a `key` is accepted once. Raises Busy, Draining, Overloaded and DuplicateMessage.
        """
        if self.is_draining:
            raise Draining
        if self.status(session_id) != "idle":
            raise Busy
        ticket = self._admission.admit()
        self._starting.add(session_id)
        try:
            run_id = uuid.uuid4().hex
            first = [event("message.user", run_id, content=content), event("run.started", run_id)]
            stored = await self._store.begin_run(session_id, run_id, first, key)
            self.hub.publish(session_id, stored)
            self._start(session_id, run_id, content, ticket)
        except BaseException:
            ticket.end()
            raise
        finally:
            self._starting.discard(session_id)
        return run_id, stored[0]["seq"]

    def _start(self, session_id: str, run_id: str, content: str, ticket: Ticket) -> None:
        stop, recording = Stop(), asyncio.Lock()

        async def record(item: EngineEvent) -> None:
            # One at a time: calls that run at once ask for their approvals at once.
            async with recording:
                await self._record(session_id, run_id, item)
            if isinstance(item, ApprovalRequested):
                ticket.pause()
            elif isinstance(item, ApprovalDecided):
                ticket.resume()

        approvals = Approvals(record, self._expiry_seconds, self._asked.setdefault(session_id, set()))
        stop.on_request(ticket.wake)
        playing = self._run(session_id, run_id, content, stop, approvals, record, ticket)
        run = _Run(run_id, asyncio.create_task(playing, name=f"run-{run_id}"), stop, _Deadline(), approvals)
        self._runs[session_id] = run

    def decide(self, session_id: str, call_id: str, verdict: Verdict, reason: str | None) -> None:
        """Approve or deny a call that waits. Raises NotWaitingError."""
        run = self._runs.get(session_id)
        if run is None:
            raise NotWaitingError(is_decided=call_id in self._asked.get(session_id, ()))
        run.approvals.decide(call_id, verdict, reason)
        audit.decision(session_id, call_id, verdict)

    def cancel(self, session_id: str) -> bool:
        """Ask the run to stop; whether there was one."""
        run = self._runs.get(session_id)
        if run is not None:
            run.end()
        return run is not None

    def finish(self, session_id: str) -> bool:
        """Ask the run to stop after its current turn; whether there was one."""
        run = self._runs.get(session_id)
        if run is not None:
            run.stop.finish()
        return run is not None

    async def follow(self, session_id: str, after: int) -> AsyncIterator[Event]:
        """The log after a sequence number, then live events, without gap or repeat, until the hub closes."""
        with self.hub.subscribe(session_id) as live:
            last, whole = after, set()
            for item in await self._store.events(session_id, after):
                last = item["seq"]
                whole.add(item.get("messageId"))
                yield item
            async for item in live:
                if "seq" not in item:
                    # Pieces of a message that was already replayed whole would show it twice.
                    if item["messageId"] not in whole:
                        yield item
                elif item["seq"] > last:
                    last = item["seq"]
                    yield item

    async def drain(self, seconds: float) -> None:
        """Take no new messages; let runs finish, and stop those that do not within the time."""
        self.is_draining = True
        while self._starting:  # acknowledged a moment ago, or about to be
            await asyncio.sleep(0.01)
        tasks = [run.task for run in self._runs.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        for run in self._runs.values():
            run.end()
        if self._runs:
            await asyncio.wait(tasks, timeout=STOP_SECONDS + 1)
        self.hub.close_all()

    async def _run(
        self,
        session_id: str,
        run_id: str,
        content: str,
        stop: Stop,
        approvals: Approvals,
        record: Recorder,
        ticket: Ticket,
    ) -> None:
        spans.CONVERSATION.set(session_id)
        audit.RUN.set(run_id)
        APPROVALS.set(approvals)
        end = await self._play(session_id, content, stop, approvals, record, ticket)
        final = finished(run_id, end.outcome, end.reason, end.usage, end.error)
        version = self._engine.state_version
        try:
            stored = await self._store.end_run(session_id, run_id, end.outcome, final, end.state, version)
        except Exception as failure:
            # A full disk, say. The run is closed at the next start; its listeners would wait for ever.
            _log.error("a run's end was not stored", extra={"run": run_id, "error": type(failure).__name__})
            self.hub.close(session_id)
            return
        finally:
            del self._runs[session_id]
        self.hub.publish(session_id, stored)

    async def _play(
        self, session_id: str, content: str, stop: Stop, approvals: Approvals, record: Recorder, ticket: Ticket
    ) -> _End:
        try:
            await self._begin(session_id, stop, ticket)
            end = await self._to_its_end(session_id, content, stop, approvals, record)
            return end or _failed("The run failed", "The agent ended without an answer.")
        except (Exception, asyncio.CancelledError) as failure:
            return _ending(failure, stop, session_id)
        finally:
            self._runs[session_id].deadline.cancel()
            await approvals.close()
            ticket.end()

    async def _begin(self, session_id: str, stop: Stop, ticket: Ticket) -> None:
        """Wait for a place; the time limit counts from then on. Raises Cancelled."""
        await ticket.wait()
        if stop.is_requested:
            raise Cancelled(Usage())
        if self._seconds is not None:
            self._runs[session_id].bound(self._seconds)

    async def _to_its_end(
        self, session_id: str, content: str, stop: Stop, approvals: Approvals, record: Recorder
    ) -> _End | None:
        before = await self._store.state(session_id)
        end = None
        # To its own end, here: a generator that the garbage collector closes ends in another context, where
        # OpenTelemetry cannot detach its spans.
        async for item in self._engine.run(content, before, stop):
            if isinstance(item, Finished):
                outcome = "limited" if item.is_limited else "completed"
                end = _End(outcome, item.usage, reason=item.stop_reason, state=item.state)
                continue
            await record(item)
            if isinstance(item, ToolCall):
                approvals.announce(item.call_id)
        return end

    async def _record(self, session_id: str, run_id: str, item: EngineEvent) -> None:
        told = as_event(run_id, item)
        if isinstance(item, Delta):
            self.hub.publish(session_id, [told])  # live only: the whole message follows
        else:
            self.hub.publish(session_id, await self._store.append(session_id, [told]))
