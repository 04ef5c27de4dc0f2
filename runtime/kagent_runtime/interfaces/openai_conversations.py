"""Which session a chat request belongs to. The protocol has no conversations: clients send the whole history each time.

A client that names its conversation in a header has one session for it, and only its newest message counts. For others
the history before the newest message is looked up: when a turn ended with exactly that history and nothing came after
it, its session goes on, with all that the agents know of it. Otherwise (an edited or repeated message, another
client's history, a first message) a new session gets the whole history as its first message.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from kagent_runtime.approvals import NotWaitingError
from kagent_runtime.auth.identity import owner
from kagent_runtime.interfaces.openai_messages import RefusedError, Turn, spoken, whole
from kagent_runtime.interfaces.turns import decision_in, follow_run, of_run, send, title_of, waiting_calls
from kagent_runtime.interfaces.view import approval_line
from kagent_runtime.sessions import Busy, Draining, Overloaded, Sessions
from kagent_runtime.store import Event, NoSessionError, Store

HEADERS = ("x-conversation-id", "x-openwebui-chat-id")


@dataclass(frozen=True, slots=True)
class Started:
    """A run to show; or calls that a person has to decide on first."""

    session_id: str
    run_id: str
    events: AsyncGenerator[Event, None]
    waiting: Sequence[Event] = ()
    close: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class Conversations:
    """Finds sessions, and starts turns in them."""

    sessions: Sessions
    store: Store

    async def start(self, turns: list[Turn], headers: Mapping[str, str], user: str | None) -> Started:
        """Give the newest message to its session. Raises RefusedError."""
        caller = _caller(headers, user)
        session_id = await self._named(turns, headers, caller) or await self._remembered(turns, caller)
        content = turns[-1].text
        if session_id is None:
            session_id, content = (await self.sessions.create(title_of(content))).id, whole(turns)
        elif not (events := await self.store.events(session_id, 0)):
            content = whole(turns)
        elif (row := await self.store.session(session_id)) and row.status == "waiting":
            return await self._decided(session_id, events, turns)
        return await self._sent(session_id, content)

    async def _sent(self, session_id: str, content: str) -> Started:
        try:
            sent = await send(self.sessions, self.store, session_id, content)
        except Busy:
            # SDKs try a 409 again by themselves, which is right here.
            raise RefusedError(409, "this conversation has a turn running", code="conversation_busy") from None
        except Draining:
            raise RefusedError(503, "the server is shutting down", code="server_shutting_down") from None
        except Overloaded:
            raise RefusedError(503, "too many turns run and wait already; try again later", code="overloaded") from None
        except NoSessionError:  # deleted a moment ago, or another caller's
            raise RefusedError(404, "there is no such conversation", code="conversation_not_found") from None
        return Started(session_id, sent.run_id, sent.events, close=sent.close)

    async def _decided(self, session_id: str, events: list[Event], turns: list[Turn]) -> Started:
        run_id = events[-1]["runId"]
        waiting = waiting_calls(of_run(events, run_id))
        decision = decision_in(turns[-1].text)
        # Only what the person was shown: another call may have begun to wait meanwhile.
        asked = turns[-2].text if len(turns) > 1 else ""
        seen = [call for call in waiting if decision is not None and approval_line(call) in asked]
        for call in seen:
            with suppress(NotWaitingError):  # decided elsewhere, a moment ago
                await self.sessions.decide(session_id, call["callId"], *(decision or ("deny", None)))
        rest = follow_run(self.sessions, self.store, session_id, run_id, events[-1]["seq"])
        return Started(session_id, run_id, rest, [call for call in waiting if call not in seen])

    async def _named(self, turns: list[Turn], headers: Mapping[str, str], caller: str) -> str | None:
        name = next((headers[header] for header in HEADERS if headers.get(header)), None)
        if name is None:
            return None
        if len(name) > 200:
            raise RefusedError(400, "a conversation's name has at most 200 characters", code="invalid_value")
        session_id = _hash("conversation", caller, name)[:32]
        await self.store.ensure_session(session_id, title_of(turns[-1].text))
        return session_id

    async def _remembered(self, turns: list[Turn], caller: str) -> str | None:
        if len(turns) == 1:
            return None
        run_id = await self.store.run_of_key(_key(caller, turns[:-1]))
        session_id = await self.store.session_of_run(run_id) if run_id else None
        if session_id is None or _last_that_counts(await self.store.events(session_id, 0)) != run_id:
            return None
        return session_id

    async def remember(
        self, run_id: str, turns: list[Turn], answer: str, headers: Mapping[str, str], user: str | None
    ) -> None:
        """What a client will send before its next message, if it goes on from here."""
        caller = _caller(headers, user)
        history = [*turns, Turn(role="assistant", text=answer)]
        await self.store.remember(_key(caller, history), run_id)


def _caller(headers: Mapping[str, str], user: str | None) -> str:
    """Who speaks: a token may be another one every hour, so its holder, where callers are known."""
    return _hash("caller", owner() or headers.get("authorization", ""), user or "")


def _last_that_counts(events: list[Event]) -> str | None:
    """The last run that the agents remember, or that goes on: a cancelled or failed one never was, for them."""
    forgotten = {
        event["runId"]
        for event in events
        if event["type"] == "run.finished" and event["outcome"] in ("cancelled", "failed")
    }
    return next((event["runId"] for event in reversed(events) if event["runId"] not in forgotten), None)


def _key(caller: str, history: list[Turn]) -> str:
    told = [[turn.role, spoken(turn.text)] for turn in history if turn.role != "system"]
    return _hash("history", caller, json.dumps(told))


def _hash(*parts: str) -> str:
    return hashlib.sha256(json.dumps(["openai", *parts]).encode()).hexdigest()
