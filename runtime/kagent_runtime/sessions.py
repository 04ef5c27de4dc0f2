"""Conversations: one run at a time in each, in a task of its own that no client's disconnect ends."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from kagent_runtime.engine import (
    Cancelled,
    Delta,
    Engine,
    EngineError,
    EngineEvent,
    Finished,
    Handoff,
    Message,
    Notice,
    SpeakerSelected,
    State,
    Stop,
    ToolCall,
    ToolResult,
    Usage,
)
from kagent_runtime.hub import Hub
from kagent_runtime.store import Event, SessionRow, Store, now
from kagent_runtime.telemetry import spans

_log = logging.getLogger(__name__)
STOP_SECONDS = 5.0
_INTERRUPTED = ("Interrupted", "the process ended during this turn; send the message again")


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

    def end(self) -> None:
        """Ask the engine to stop; cut it off when it does not."""
        self.stop.request()
        self.deadline.start(self.task)


class _Deadline:
    """Cancels a task that does not end by itself: a library that ignores a cancel must not block a session."""

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None

    def start(self, task: asyncio.Task[None]) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(STOP_SECONDS, task.cancel)

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


@dataclass(frozen=True, slots=True)
class _End:
    outcome: str
    usage: Usage
    reason: str | None = None
    error: dict[str, str] | None = None
    state: State | None = None


def _failed(title: str, detail: str, usage: Usage | None = None) -> _End:
    return _End("failed", usage or Usage(), error={"title": title, "detail": detail})


class Sessions:
    """The sessions of this process over one store and one engine."""

    def __init__(self, store: Store, engine: Engine) -> None:
        self._store, self._engine = store, engine
        self._runs: dict[str, _Run] = {}
        self._starting: set[str] = set()
        self.hub = Hub()
        self.is_draining = False

    async def recover(self) -> None:
        """Close the runs that a dead process left open, so that their sessions can go on."""
        for session_id, run_id in await self._store.unfinished_runs():
            end = _failed(*_INTERRUPTED)
            final = _finished(run_id, end.outcome, None, end.usage, end.error)
            await self._store.end_run(session_id, run_id, end.outcome, final, None, self._engine.state_version)

    def status(self, session_id: str) -> str:
        """`running` or `idle`."""
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
        self.hub.close(session_id)

    async def send(self, session_id: str, content: str, key: str | None = None) -> tuple[str, int]:
        """Start a run; returns its id and the sequence number of the message, which is committed by then.

        A message with a `key` is accepted once. Raises Busy, Draining and DuplicateMessage.
        """
        if self.is_draining:
            raise Draining
        if self.status(session_id) == "running":
            raise Busy
        self._starting.add(session_id)
        try:
            run_id = uuid.uuid4().hex
            first = [_event("message.user", run_id, content=content), _event("run.started", run_id)]
            stored = await self._store.begin_run(session_id, run_id, first, key)
            self.hub.publish(session_id, stored)
            stop = Stop()
            task = asyncio.create_task(self._run(session_id, run_id, content, stop), name=f"run-{run_id}")
            self._runs[session_id] = _Run(run_id, task, stop, _Deadline())
        finally:
            self._starting.discard(session_id)
        return run_id, stored[0]["seq"]

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

    async def _run(self, session_id: str, run_id: str, content: str, stop: Stop) -> None:
        spans.CONVERSATION.set(session_id)
        end = await self._play(session_id, run_id, content, stop)
        final = _finished(run_id, end.outcome, end.reason, end.usage, end.error)
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

    async def _play(self, session_id: str, run_id: str, content: str, stop: Stop) -> _End:
        try:
            before = await self._store.state(session_id)
            end = None
            # To its own end, here: a generator that the garbage collector closes ends in another context, where
            # OpenTelemetry cannot detach its spans.
            async for item in self._engine.run(content, before, stop):
                if isinstance(item, Finished):
                    end = _End("completed", item.usage, reason=item.stop_reason, state=item.state)
                else:
                    await self._record(session_id, run_id, item)
            return end or _failed("The run failed", "The agent ended without an answer.")
        except Cancelled as cancelled:
            return _End("cancelled", cancelled.usage, reason="cancelled")
        except asyncio.CancelledError:
            return _End("cancelled", Usage(), reason="cancelled")
        except EngineError as failure:
            return _failed(failure.title, failure.detail, failure.usage)
        except Exception as failure:
            # The text of an unknown exception may hold anything, so only its type is told.
            _log.error("run failed", extra={"run": run_id, "error": type(failure).__name__})
            return _failed("Internal error", type(failure).__name__)
        finally:
            self._runs[session_id].deadline.cancel()

    async def _record(self, session_id: str, run_id: str, item: EngineEvent) -> None:
        event = _as_event(run_id, item)
        if isinstance(item, Delta):
            self.hub.publish(session_id, [event])  # live only: the whole message follows
        else:
            self.hub.publish(session_id, await self._store.append(session_id, [event]))


def _event(type: str, run_id: str, **fields: Any) -> Event:
    return {"type": type, "runId": run_id, "at": now(), **fields}


def _finished(run_id: str, outcome: str, reason: str | None, usage: Usage, error: dict[str, str] | None) -> Event:
    fields = {"outcome": outcome, "stopReason": reason, "error": error, "usage": _tokens(usage)}
    return _event("run.finished", run_id, **fields)


def _tokens(usage: Usage | None) -> dict[str, int] | None:
    return {"promptTokens": usage.prompt, "completionTokens": usage.completion} if usage else None


def _as_event(run_id: str, item: EngineEvent) -> Event:
    match item:
        case Delta(message_id, agent, content):
            return _event("message.delta", run_id, messageId=message_id, agent=agent, content=content)
        case SpeakerSelected(agent):
            return _event("speaker.selected", run_id, agent=agent)
        case Message(message_id, agent, content, usage):
            shown = _tokens(usage)
            return _event("message", run_id, messageId=message_id, agent=agent, content=content, usage=shown)
        case ToolCall(call_id, agent, name, arguments):
            return _event("tool.call", run_id, callId=call_id, agent=agent, name=name, arguments=arguments)
        case ToolResult(call_id, agent, name, content, is_error):
            about: dict[str, Any] = {"callId": call_id, "agent": agent, "name": name}
            return _event("tool.result", run_id, **about, content=content, isError=is_error)
        case Notice(content):
            return _event("notice", run_id, content=content)
        case Handoff(agent, target, content):
            return _event("handoff", run_id, agent=agent, target=target, content=content)
    raise TypeError(type(item).__name__)
