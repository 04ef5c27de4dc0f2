"""The agent as an MCP tool: a message in, the answer out, what happens meanwhile as progress.

A call that waits for an approval goes on waiting: who calls a tool is a model, and a person has to decide, on the
page or by our own API. Source: MCP specification, "Tools" and "Progress".
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
)
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kagent_runtime import __version__
from kagent_runtime.config import LoadedConfig
from kagent_runtime.depth import DEPTH, HEADER, read
from kagent_runtime.interfaces.openai_messages import MAX_MESSAGE
from kagent_runtime.interfaces.turns import CutOffError, Sent, answer_of, failure_of, send, title_of
from kagent_runtime.interfaces.view import ChatView
from kagent_runtime.sessions import Busy, Draining, NoSessionError, Overloaded, Sessions
from kagent_runtime.store import Event, Store

PROGRESS_SECONDS = 10.0  # so often at least, for clients that give up in silence
Context = ServerRequestContext[Any, Any]


class Arguments(BaseModel):
    """What the tool takes."""

    model_config = ConfigDict(extra="forbid")

    message: str = Field(min_length=1, max_length=MAX_MESSAGE, description="What to ask or tell the agent")
    session: str | None = Field(default=None, max_length=64, description="Continue this session of an earlier answer")


class Answer(BaseModel):
    """What the tool answers."""

    answer: str
    session: str = Field(description="Send it with the next message to continue the conversation")
    output: Any = Field(default=None, description="The answer as data, of an agent that answers with JSON")


class CallError(Exception):
    """What the caller reads as the result of a call that failed."""


def tool(loaded: LoadedConfig) -> Tool:
    """The agent as a tool. Some models take no dots in a tool's name, and at most 64 characters."""
    config = loaded.config
    return Tool(
        name=re.sub("[^a-zA-Z0-9_-]", "-", config.metadata.name)[:64],
        title=config.metadata.name,
        description=config.description,
        input_schema=_schema(Arguments),
        output_schema=_schema(Answer),
    )


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    return {"type": "object", "properties": schema["properties"], "required": schema["required"]}


def server(loaded: LoadedConfig, sessions: Sessions, store: Store) -> Server[Any]:
    """The MCP server of an agent or team."""
    # It logs what clients send that is not valid.
    logging.getLogger("mcp.server").setLevel(logging.CRITICAL + 1)
    own = tool(loaded)

    async def list_tools(_context: Context, _params: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=[own])

    async def call_tool(context: Context, params: CallToolRequestParams) -> CallToolResult:
        try:
            if params.name != own.name:
                raise CallError(f"there is no tool `{params.name[:64]}`; there is `{own.name}`")
            answer = await _called(context, _arguments(params), sessions, store)
        except CallError as error:
            return CallToolResult(content=[TextContent(type="text", text=str(error))], is_error=True)
        told = answer.model_dump(exclude_none=True)
        return CallToolResult(content=[TextContent(type="text", text=answer.answer)], structured_content=told)

    return Server(
        loaded.config.metadata.name,
        version=__version__,
        instructions=loaded.config.description,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _arguments(params: CallToolRequestParams) -> Arguments:
    try:
        return Arguments.model_validate(params.arguments or {})
    except ValidationError as invalid:
        found = invalid.errors()[0]
        raise CallError(f"{'.'.join(map(str, found['loc']))}: {found['msg']}") from None


async def _called(context: Context, arguments: Arguments, sessions: Sessions, store: Store) -> Answer:
    DEPTH.set(read(context.request.headers.get(HEADER) if context.request is not None else None))
    session_id = arguments.session
    if session_id is None:
        session_id = (await sessions.create(title_of(arguments.message))).id
    elif await store.session(session_id) is None:
        raise CallError(f"there is no session `{session_id}`; leave it out to start one")
    sent = await _sent(sessions, store, session_id, arguments.message)
    events: list[Event] = []
    try:
        async with aclosing(_reported(context, sent)) as happening:
            async for event in happening:
                events.append(event)
    except CutOffError:
        raise CallError("the server is shutting down; try again") from None
    finally:
        sent.close()
        # The caller has left, or has cancelled the call.
        if not events or events[-1]["type"] != "run.finished":
            sessions.cancel(session_id)
    return _answer(events, session_id)


async def _sent(sessions: Sessions, store: Store, session_id: str, message: str) -> Sent:
    try:
        return await send(sessions, store, session_id, message)
    except Busy:
        raise CallError("the session has a turn running; wait for its end") from None
    except Draining:
        raise CallError("the server is shutting down; try again") from None
    except Overloaded:
        raise CallError("too many turns run and wait already; try again later") from None
    except NoSessionError:  # deleted a moment ago
        raise CallError(f"there is no session `{session_id}`; leave it out to start one") from None


def _answer(events: list[Event], session_id: str) -> Answer:
    said, final = answer_of(events), events[-1]
    if final["outcome"] != "completed":
        partly = f"\nBefore, it said: {said}" if said else ""
        raise CallError(f"{failure_of(final)} (session {session_id}){partly}")
    last = [event for event in events if event["type"] == "message"][-1:]
    return Answer(answer=said, session=session_id, output=last[0].get("output") if last else None)


async def _reported(context: Context, sent: Sent) -> AsyncGenerator[Event, None]:
    """The stored events of a run; what happens is told as progress, and after a while that it still goes on."""
    view, number = ChatView(is_live=False), 0
    waiting: asyncio.Future[Event] | None = None
    try:
        while True:
            waiting = waiting or asyncio.ensure_future(anext(sent.events))
            done, _ = await asyncio.wait([waiting], timeout=PROGRESS_SECONDS)
            texts = ["still at work"]
            if done:
                try:
                    event = waiting.result()
                except StopAsyncIteration:
                    return
                waiting, texts = None, []
                if event["type"] != "message.delta":
                    texts = _happening(event, view)
                    yield event
            for text in texts:
                number += 1
                await context.session.report_progress(number, message=text)
    finally:
        if waiting is not None:
            waiting.cancel()
            await asyncio.wait([waiting])
        await sent.events.aclose()


def _happening(event: Event, view: ChatView) -> list[str]:
    if event["type"] == "approval.requested":
        return [f"{event['name']} waits for the approval of a person until {event['expiresAt']}"]
    return [text.strip() for kind, text in view.see(event) if kind == "reasoning_content" and text.strip()]
