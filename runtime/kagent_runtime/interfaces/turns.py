"""What every protocol needs of a turn: its events to the end, what waits for a person, what was answered."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import ExitStack, aclosing
from dataclasses import dataclass
from typing import Any, Literal

from kagent_runtime.sessions import Sessions
from kagent_runtime.store import Event, Store

Decision = tuple[Literal["approve", "deny"], str | None]
_YES = {"approve", "approved", "yes", "y"}
_NO = re.compile(r"(?:deny|denied|no|n|reject|rejected)\b[\s.,:;!–-]*", re.IGNORECASE)  # noqa: RUF001
TITLE_CHARACTERS = 80
GATHER_SECONDS = 0.3  # calls that are made at once ask for their approvals one after the other


class CutOffError(Exception):
    """The turn's events ended before the turn: the process ends, or the session was deleted."""


async def follow_run(
    sessions: Sessions, store: Store, session_id: str, run_id: str, after: int
) -> AsyncGenerator[Event, None]:
    """The events of one run after a sequence number, to its end. Raises CutOffError."""
    last = after
    while True:
        live = sessions.follow(session_id, last)
        try:
            async for item in live:
                last = item.get("seq", last)
                if item["runId"] == run_id:
                    yield item
                    if item["type"] == "run.finished":
                        return
        finally:
            await live.aclose()  # type: ignore[attr-defined]
        # A listener that was too slow goes on from the log; without the session there is nothing to wait for.
        if sessions.is_draining or await store.session(session_id) is None:
            raise CutOffError


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that was accepted, and the events of its run. To be closed, whether they were read or not.

    `is_joined`: the run went on before; its events are those from now on.
    """

    run_id: str
    events: AsyncGenerator[Event, None]
    close: Callable[[], None]
    is_joined: bool = False


async def send(sessions: Sessions, store: Store, session_id: str, content: str, key: str | None = None) -> Sent:
    """Send a message and listen from before it, so that no piece of an answer is missed. Raises as Sessions.send."""
    with ExitStack() as stack:
        live = stack.enter_context(sessions.hub.subscribe(session_id))
        run_id, seq = await sessions.send(session_id, content, key)
        close = stack.pop_all().close

    async def heard() -> AsyncGenerator[Event, None]:
        last = seq - 1
        try:
            async for item in live:
                if item["runId"] == run_id:
                    last = item.get("seq", last)
                    yield item
                    if item["type"] == "run.finished":
                        return
        finally:
            close()
        async with aclosing(follow_run(sessions, store, session_id, run_id, last)) as rest:
            async for item in rest:
                yield item

    return Sent(run_id, heard(), close)


def of_run(events: Iterable[Event], run_id: str) -> list[Event]:
    """The stored events of one run."""
    return [event for event in events if event["runId"] == run_id]


def waiting_calls(events: Iterable[Event]) -> list[Event]:
    """The `approval.requested` of one run that nobody has decided on, while the run goes on."""
    waiting: dict[str, Event] = {}
    for event in events:
        if event["type"] == "approval.requested":
            waiting[event["callId"]] = event
        elif event["type"] == "approval.decided":
            waiting.pop(event["callId"], None)
        elif event["type"] == "run.finished":
            return []
    return list(waiting.values())


def asks_user(events: Iterable[Event]) -> bool:
    """Whether a finished run ended by handing over to the user: the next message goes on with the same matter."""
    target = outcome = None
    for event in events:
        if event["type"] == "handoff":
            target = event["target"]
        elif event["type"] == "run.finished":
            outcome = event["outcome"]
    return target == "user" and outcome == "completed"


def answer_of(events: Iterable[Event]) -> str:
    """The answer of a turn: its last message; of an agent that only handed over to the user, what it gave along."""
    said = given = ""
    for event in events:
        if event["type"] == "message" and event["content"].strip():
            said = event["content"]
        elif event["type"] == "handoff":
            given = event["content"] if event["target"] == "user" else ""
    return said or given


def failure_of(final: Event) -> str:
    """Why a turn that did not complete ended, in one line."""
    error = final.get("error")
    return f"{error['title']}: {error['detail']}" if error else str(final.get("stopReason") or final["outcome"])


def decision_in(text: str) -> Decision | None:
    """The decision that a person's message is, and the reason of a denial; None for anything else.

    An approval must be the whole message: "yes, but in staging" is not one.
    """
    if text.strip().rstrip(".!").casefold() in _YES:
        return "approve", None
    match = _NO.match(text.strip())
    if match is None:
        return None
    return "deny", text.strip()[match.end() :][:2_000] or None


def title_of(content: str) -> str:
    """A session's title from its first message."""
    line = " ".join(content.split())
    return line if len(line) <= TITLE_CHARACTERS else line[: TITLE_CHARACTERS - 1] + "…"


def tokens(final: Event | None) -> tuple[int, int]:
    """Prompt and completion tokens of a run."""
    usage: dict[str, Any] = (final or {}).get("usage") or {}
    return usage.get("promptTokens", 0), usage.get("completionTokens", 0)
