"""A2A's operations over sessions. The SDK parses and frames; nothing is kept in stores of its own.

Source: A2A 1.0, "Protocol operations". A run belongs to its session: a client that leaves stops nothing, and follows
the task again with SubscribeToTask.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any, NoReturn

from a2a.server.context import ServerCallContext
from a2a.server.events import Event as A2AEvent
from a2a.server.request_handlers.request_handler import RequestHandler
from a2a.types import (
    AgentCard,
    CancelTaskRequest,
    DeleteTaskPushNotificationConfigRequest,
    GetExtendedAgentCardRequest,
    GetTaskPushNotificationConfigRequest,
    GetTaskRequest,
    ListTaskPushNotificationConfigsRequest,
    ListTaskPushNotificationConfigsResponse,
    ListTasksRequest,
    ListTasksResponse,
    Message,
    SendMessageRequest,
    SubscribeToTaskRequest,
    Task,
    TaskPushNotificationConfig,
    TaskState,
)
from a2a.utils.errors import (
    ExtendedAgentCardNotConfiguredError,
    InternalError,
    InvalidParamsError,
    PushNotificationNotSupportedError,
    TaskNotCancelableError,
    TaskNotFoundError,
    UnsupportedOperationError,
)

from kagent_runtime.approvals import NotWaitingError
from kagent_runtime.depth import DEPTH, HEADER, read
from kagent_runtime.interfaces.a2a_messages import Decisions, decisions_in, text_of
from kagent_runtime.interfaces.a2a_stream import Updates
from kagent_runtime.interfaces.a2a_tasks import OVER, Matter, inner, matters
from kagent_runtime.interfaces.turns import GATHER_SECONDS, CutOffError, Sent, follow_run, send, title_of, waiting_calls
from kagent_runtime.sessions import Busy, Draining, NoSessionError, Overloaded, Sessions
from kagent_runtime.store import DuplicateMessage, Event, Store


class Handler(RequestHandler):
    """The operations. `is_live`: all that is written is the answer (see view.py)."""

    def __init__(self, sessions: Sessions, store: Store, *, is_live: bool) -> None:
        self._sessions, self._store, self._is_live = sessions, store, is_live

    async def on_message_send(self, params: SendMessageRequest, context: ServerCallContext) -> Task:
        """Send a message; the task once it has ended or needs input, or at once when the client asks for that."""
        sent = await self._accept(params.message, context)
        try:
            if not params.configuration.return_immediately:
                async with aclosing(self._until_input(sent)) as events:
                    async for _ in events:
                        pass
        finally:
            sent.close()
        return (await self._matter(sent.run_id)).task(_length(params.configuration))

    async def on_message_send_stream(
        self, params: SendMessageRequest, context: ServerCallContext
    ) -> AsyncGenerator[A2AEvent, None]:
        """Send a message; the task, then its updates until it has ended or needs input."""
        sent = await self._accept(params.message, context)
        try:
            async with aclosing(self._updates(sent, _length(params.configuration))) as updates:
                async for update in updates:
                    yield update
        finally:
            sent.close()

    async def on_subscribe_to_task(
        self, params: SubscribeToTaskRequest, context: ServerCallContext
    ) -> AsyncGenerator[A2AEvent, None]:
        """The task as it is, then its updates."""
        matter = await self._found(params.id)
        if matter.status().state in OVER:
            raise UnsupportedOperationError("the task is over: get it with GetTask")
        async with aclosing(self._updates(self._joined(matter))) as updates:
            async for update in updates:
                yield update

    async def on_get_task(self, params: GetTaskRequest, context: ServerCallContext) -> Task:
        """One task."""
        return (await self._found(params.id)).task(_length(params))

    async def on_list_tasks(self, params: ListTasksRequest, context: ServerCallContext) -> ListTasksResponse:
        """The tasks of one context, the newest first."""
        session_id = inner(params.context_id)
        if session_id is None or params.page_token:
            raise UnsupportedOperationError("tasks are listed by context: send `contextId`, and no `pageToken`")
        found = matters(session_id, await self._store.events(session_id, 0), is_live=self._is_live)
        wanted = [matter for matter in reversed(found) if params.status in (0, matter.status().state)]
        tasks = [matter.task(_length(params)) for matter in wanted[: params.page_size or 50]]
        return ListTasksResponse(tasks=tasks, total_size=len(wanted), page_size=len(tasks))

    async def on_cancel_task(self, params: CancelTaskRequest, context: ServerCallContext) -> Task:
        """Cut a run off; the task once it has ended."""
        matter = await self._found(params.id)
        if matter.runs[-1][-1]["type"] == "run.finished" or not await self._sessions.ask_to_end(
            matter.session_id, "cancel"
        ):
            raise TaskNotCancelableError("nothing of this task runs")
        with suppress(CutOffError):
            async with aclosing(self._joined(matter).events) as events:
                async for _ in events:
                    pass
        return (await self._found(params.id)).task()

    async def _accept(self, message: Message, context: ServerCallContext) -> Sent:
        """Give a message to its task or its context. Raises A2AError."""
        DEPTH.set(read(context.state.get("headers", {}).get(HEADER.lower())))
        text, decisions = text_of(message), decisions_in(message)
        if message.task_id:
            matter = await self._found(message.task_id)
            if message.context_id and inner(message.context_id) != matter.session_id:
                raise InvalidParamsError("the task is in another context")
            return await self._continue(matter, text, decisions, message)
        if decisions:
            raise InvalidParamsError("decisions need the `taskId` of the task that waits for them")
        key = _key(message)
        if known := await self._store.run_of_key(key):  # sent again, by a client that missed the answer
            return self._joined(await self._matter(known))
        return await self._send(await self._context(message, text), text, key)

    async def _continue(self, matter: Matter, text: str, decisions: Decisions, message: Message) -> Sent:
        state = matter.status().state
        if state in OVER:
            raise UnsupportedOperationError("the task is over: send the message with its `contextId` only")
        if state == TaskState.TASK_STATE_WORKING:
            raise UnsupportedOperationError("the task is at work: wait, follow it, or cancel it")
        if waiting := waiting_calls(matter.runs[-1]):
            unknown = sorted(set(decisions) - {call["callId"] for call in waiting})
            if unknown or not decisions:
                problem = f"{', '.join(unknown)} waits for no approval" if unknown else "the message decides nothing"
                raise InvalidParamsError(f"the task waits for approvals, and {problem}")
            await self._decide(matter, decisions)
            return self._joined(await self._matter(matter.last_run_id))
        return await self._send(matter.session_id, text, _key(message))

    async def _decide(self, matter: Matter, decisions: Decisions) -> None:
        """Decide, and wait until the log has it: what is read of the task afterwards must not ask again."""
        for call_id, decision in decisions.items():
            with suppress(NotWaitingError):  # decided elsewhere, a moment ago
                await self._sessions.decide(matter.session_id, call_id, *decision)
        missing = set(decisions)
        with suppress(CutOffError):
            async with aclosing(self._joined(matter).events) as events:
                async for event in events:
                    missing -= {event["callId"]} if event["type"] == "approval.decided" else set()
                    if not missing:
                        return

    async def _context(self, message: Message, text: str) -> str:
        if not message.context_id:
            return (await self._sessions.create(title_of(text))).id
        session_id = inner(message.context_id)
        if session_id is None:
            raise InvalidParamsError("a `contextId` of your own must be a UUID")
        await self._store.ensure_session(session_id, title_of(text))
        return session_id

    async def _send(self, session_id: str, text: str, key: str) -> Sent:
        if not text.strip():
            raise InvalidParamsError("the message has no text")
        try:
            return await send(self._sessions, self._store, session_id, text, key)
        except DuplicateMessage:
            return self._joined(await self._matter(await self._store.run_of_key(key) or ""))
        except Busy:
            raise UnsupportedOperationError("the context has a task at work: wait for its end, or cancel it") from None
        except Draining:
            raise InternalError("the server is shutting down") from None
        except Overloaded:
            raise InternalError("too many turns run and wait already; try again later") from None
        except NoSessionError:  # deleted a moment ago, or another caller's
            raise InvalidParamsError("there is no such context") from None

    def _joined(self, matter: Matter) -> Sent:
        """The last run of a task from where its log is now."""
        after = int(matter.runs[-1][-1]["seq"])
        events = follow_run(self._sessions, self._store, matter.session_id, matter.last_run_id, after)
        return Sent(matter.last_run_id, events, lambda: None, is_joined=True)

    async def _found(self, task_id: str) -> Matter:
        return await self._matter(inner(task_id) or "")

    async def _matter(self, run_id: str) -> Matter:
        session_id = await self._store.session_of_run(run_id)
        if session_id is None:
            raise TaskNotFoundError
        found = matters(session_id, await self._store.events(session_id, 0), is_live=self._is_live)
        return next(one for one in found if any(run[0]["runId"] == run_id for run in one.runs))

    async def _updates(self, sent: Sent, length: int | None = None) -> AsyncGenerator[A2AEvent, None]:
        matter = await self._matter(sent.run_id)
        yield matter.task(length)
        updates = Updates(matter, is_joining=sent.is_joined)
        async with aclosing(self._until_input(sent)) as events:
            async for event in events:
                for update in updates.of(event):
                    yield update
        now = await self._matter(sent.run_id)
        if waiting_calls(now.runs[-1]):
            yield updates.status(now.status())

    async def _until_input(self, sent: Sent) -> AsyncGenerator[Event, None]:
        """Events of a run, to its end or to where a person has to decide; or until the process ends."""
        last = (await self._matter(sent.run_id)).runs[-1]
        if waiting_calls(last) or (sent.is_joined and last[-1]["type"] == "run.finished"):
            return
        with suppress(CutOffError):
            async with aclosing(sent.events) as events:
                async for event in events:
                    yield event
                    if event["type"] == "approval.requested":
                        await asyncio.sleep(GATHER_SECONDS)
                        if waiting_calls((await self._matter(sent.run_id)).runs[-1]):
                            return

    async def on_create_task_push_notification_config(
        self, params: TaskPushNotificationConfig, context: ServerCallContext
    ) -> NoReturn:
        """Not offered: the card says so."""
        raise PushNotificationNotSupportedError

    async def on_get_task_push_notification_config(
        self, params: GetTaskPushNotificationConfigRequest, context: ServerCallContext
    ) -> NoReturn:
        """Not offered: the card says so."""
        raise PushNotificationNotSupportedError

    async def on_list_task_push_notification_configs(
        self, params: ListTaskPushNotificationConfigsRequest, context: ServerCallContext
    ) -> ListTaskPushNotificationConfigsResponse:
        """Not offered: the card says so."""
        raise PushNotificationNotSupportedError

    async def on_delete_task_push_notification_config(
        self, params: DeleteTaskPushNotificationConfigRequest, context: ServerCallContext
    ) -> None:
        """Not offered: the card says so."""
        raise PushNotificationNotSupportedError

    async def on_get_extended_agent_card(
        self, params: GetExtendedAgentCardRequest, context: ServerCallContext
    ) -> AgentCard:
        """Not offered: the card says so."""
        raise ExtendedAgentCardNotConfiguredError


def _length(asked: Any) -> int | None:
    return max(asked.history_length, 0) if asked.HasField("history_length") else None


def _key(message: Message) -> str:
    """A message's identity: what makes its repetition one."""
    parts = ("a2a", message.context_id, message.task_id, message.message_id)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
