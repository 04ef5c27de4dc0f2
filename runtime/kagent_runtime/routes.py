"""The HTTP API: sessions, messages, events."""

import json
from collections.abc import AsyncGenerator
from contextlib import ExitStack
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import Receive, Scope, Send

from kagent_runtime import sse
from kagent_runtime.admission import RETRY_SECONDS, Overloaded
from kagent_runtime.approvals import NotWaitingError
from kagent_runtime.depth import DEPTH, HEADER, read
from kagent_runtime.describe import describe
from kagent_runtime.export import markdown
from kagent_runtime.problems import RESPONSES, problem
from kagent_runtime.sessions import Busy, Draining, Sessions
from kagent_runtime.store import NoSessionError, SessionRow, Store

MAX_MESSAGE = 65_536
_MAX_SEQ = 2**31 - 1  # PostgreSQL's integer; a driver raises for more
router = APIRouter(prefix="/api/v1", responses=RESPONSES)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewSession(_Body):
    """A session to create."""

    title: str = Field(default="New conversation", min_length=1, max_length=200)


class Title(_Body):
    """A session's new title."""

    title: str = Field(min_length=1, max_length=200)


class NewMessage(_Body):
    """A message to the agent."""

    content: str = Field(min_length=1, max_length=MAX_MESSAGE)


class Verdict(_Body):
    """What a person decides on a call that waits. The reason is told to the model."""

    decision: Literal["approve", "deny"]
    reason: str | None = Field(default=None, min_length=1, max_length=2_000)


class Session(BaseModel):
    """A session. Times are RFC 3339, UTC."""

    id: str
    title: str
    createdAt: str
    updatedAt: str
    status: Literal["idle", "running", "waiting"]


class SessionList(BaseModel):
    """Sessions, newest activity first. `next` is where the next page starts, if there is one."""

    sessions: list[Session]
    next: str | None = None


class Accepted(BaseModel):
    """The message is stored, and its run has started."""

    runId: str
    seq: int


_EXPORTS: dict[str, Any] = {
    "description": "The file",
    "content": {"application/json": {"schema": {"type": "object"}}, "text/markdown": {"schema": {"type": "string"}}},
}


def _services(request: Request) -> tuple[Sessions, Store]:
    return request.app.state.sessions, request.app.state.store


def _session(row: SessionRow) -> Session:
    status: Any = row.status
    return Session(id=row.id, title=row.title, createdAt=row.created_at, updatedAt=row.updated_at, status=status)


async def _found(request: Request, id: str) -> SessionRow:
    row = await _services(request)[1].session(id)
    if row is None:
        raise problem(404, f"there is no session `{id[:64]}`")
    return row


@router.get("/agent")
async def get_agent(request: Request) -> dict[str, Any]:
    """What this server runs: agents, models, tools, and whether it is a demonstration."""
    return describe(request.app.state.loaded.config, request.app.state.loaded.component, request.app.state.settings)


@router.post("/sessions", status_code=201)
async def create_session(request: Request, body: NewSession | None = None) -> Session:
    """Start a conversation."""
    sessions, _ = _services(request)
    return _session(await sessions.create((body or NewSession()).title))


@router.get("/sessions")
async def list_sessions(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    q: Annotated[str | None, Query(min_length=1, max_length=200, description="Text of the title or a message")] = None,
    after: Annotated[str | None, Query(max_length=100, description="The `next` of the page before")] = None,
) -> SessionList:
    """The conversations, newest activity first."""
    store = _services(request)[1]
    at, separator, id = (after or "").partition("~")
    if after is not None and not separator:
        raise problem(422, "after: not the `next` of a page")
    rows = await store.sessions(limit + 1, q, (at, id) if after is not None else None)
    last = rows[limit - 1] if len(rows) > limit else None
    following = f"{last.updated_at}~{last.id}" if last else None
    return SessionList(sessions=[_session(row) for row in rows[:limit]], next=following)


@router.get("/sessions/{id}")
async def get_session(request: Request, id: str) -> Session:
    """One conversation."""
    return _session(await _found(request, id))


@router.get("/sessions/{id}/export", response_class=Response, responses={200: _EXPORTS})
async def export_session(request: Request, id: str, format: Literal["json", "markdown"] = "json") -> Response:
    """One conversation as a file: all its events as JSON, or to read, as Markdown."""
    row = await _found(request, id)
    store = _services(request)[1]
    events, agent = await store.events(id, 0), request.app.state.loaded.config.metadata.name
    if format == "markdown":
        body, media_type, ending = markdown(row, events, agent), "text/markdown; charset=utf-8", "md"
    else:
        whole = {"agent": agent, "session": _session(row).model_dump(), "events": events}
        body, media_type, ending = json.dumps(whole, ensure_ascii=False, indent=2), "application/json", "json"
    headers = {"Content-Disposition": f'attachment; filename="{agent}-{row.created_at[:10]}-{id[:8]}.{ending}"'}
    return Response(body, media_type=media_type, headers=headers)


@router.patch("/sessions/{id}")
async def rename_session(request: Request, id: str, body: Title) -> Session:
    """Give a conversation another title."""
    await _found(request, id)
    await _services(request)[1].rename(id, body.title)
    return await get_session(request, id)


@router.delete("/sessions/{id}", status_code=204)
async def delete_session(request: Request, id: str) -> Response:
    """Remove a conversation; a run in it is stopped."""
    await _found(request, id)
    await _services(request)[0].delete(id)
    return Response(status_code=204)


@router.post("/sessions/{id}/messages", status_code=202, response_model=Accepted)
async def send_message(
    request: Request, id: str, body: NewMessage, accept: Annotated[str, Header()] = "application/json"
) -> Response:
    """Send a message. With `Accept: text/event-stream` the answer is the run's events."""
    await _found(request, id)
    sessions, _ = _services(request)
    DEPTH.set(read(request.headers.get(HEADER)))  # the run's task starts with it
    with ExitStack() as stack:
        # Heard from before the run begins, so that no piece of an answer is missed.
        live = stack.enter_context(sessions.hub.subscribe(id)) if sse.MEDIA_TYPE in accept else None
        run_id, seq = await _accepted(sessions, id, body.content)
        if live is None:
            return JSONResponse({"runId": run_id, "seq": seq}, 202)
        frames = sse.stream(sessions.in_order(id, live, seq - 1), until_run=run_id)
        return _Stream(frames, stack.pop_all())


class _Stream(StreamingResponse):
    """Frames, and what is to be closed after them, whether they were read or not."""

    def __init__(self, frames: AsyncGenerator[bytes, None], after: ExitStack) -> None:
        super().__init__(frames, media_type=sse.MEDIA_TYPE, headers=sse.HEADERS)
        self._after = after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._after:
            await super().__call__(scope, receive, send)


async def _accepted(sessions: Sessions, id: str, content: str) -> tuple[str, int]:
    try:
        return await sessions.send(id, content)
    except Busy:
        detail = "the session has a turn running; wait for its end, or cancel it"
        raise problem(409, detail, {"Retry-After": "1"}) from None
    except Draining:
        raise problem(503, "the server is shutting down", {"Retry-After": "5"}) from None
    except NoSessionError:  # deleted a moment ago
        raise problem(404, f"there is no session `{id[:64]}`") from None
    except Overloaded:
        detail = "too many turns run and wait already; try again later"
        raise problem(503, detail, {"Retry-After": str(RETRY_SECONDS)}) from None


@router.get("/sessions/{id}/events")
async def get_events(
    request: Request,
    id: str,
    after: Annotated[int, Query(ge=0, le=_MAX_SEQ)] = 0,
    accept: Annotated[str, Header()] = "application/json",
    last_event_id: Annotated[int | None, Header(ge=0, le=_MAX_SEQ)] = None,
) -> Response:
    """The log of a conversation: as JSON, or as a stream that goes on live."""
    await _found(request, id)
    sessions, store = _services(request)
    if sse.MEDIA_TYPE in accept:
        start = last_event_id if last_event_id is not None else after
        return StreamingResponse(sse.stream(sessions.follow(id, start)), media_type=sse.MEDIA_TYPE, headers=sse.HEADERS)
    return JSONResponse({"events": await store.events(id, after)})


@router.post("/sessions/{id}/cancel", status_code=202)
async def cancel_run(request: Request, id: str) -> dict[str, str]:
    """Cut the run off at once; the agents do not remember it."""
    await _found(request, id)
    if not await _services(request)[0].ask_to_end(id, "cancel"):
        raise problem(409, "nothing runs in this session")
    return {"status": "cancelling"}


@router.post("/sessions/{id}/stop", status_code=202)
async def stop_run(request: Request, id: str) -> dict[str, str]:
    """End the run after its current turn; what was said is kept."""
    await _found(request, id)
    if not await _services(request)[0].ask_to_end(id, "finish"):
        raise problem(409, "nothing runs in this session")
    return {"status": "stopping"}


@router.post("/sessions/{id}/approvals/{call_id:path}")
async def decide(request: Request, id: str, call_id: str, body: Verdict) -> dict[str, str]:
    """Approve or deny a tool call that waits for a person."""
    await _found(request, id)
    try:
        await _services(request)[0].decide(id, call_id, body.decision, body.reason)
    except NotWaitingError as error:
        if error.is_decided:
            raise problem(409, "the call waits no longer: it was decided, it expired, or its turn has ended") from None
        raise problem(404, f"no call `{call_id[:64]}` waits for an approval") from None
    return {"callId": call_id, "decision": body.decision}
