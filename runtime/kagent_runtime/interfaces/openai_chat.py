"""OpenAI's Chat Completions API: `GET /v1/models`, `POST /v1/chat/completions`. The agent is the only model.

Source: OpenAI's API reference (chat completions, models, streaming, error codes). A client that leaves cancels its
run: that is how chat clients stop an answer, and SDKs that time out send the message again.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from kagent_runtime import problems, sse
from kagent_runtime.depth import DEPTH, HEADER, read
from kagent_runtime.interfaces.openai_conversations import Conversations, Started
from kagent_runtime.interfaces.openai_messages import ChatRequest, RefusedError, Turn, turns_of
from kagent_runtime.interfaces.turns import GATHER_SECONDS, CutOffError, failure_of, of_run, tokens, waiting_calls
from kagent_runtime.interfaces.view import ChatView, Piece, approval_question, is_live
from kagent_runtime.store import Event

SESSION_HEADER = "X-Kagent-Session"


def _error(refused: RefusedError) -> dict[str, Any]:
    kind = "invalid_request_error" if refused.status < 500 else "server_error"
    return {"error": {"message": str(refused), "type": kind, "param": refused.param, "code": refused.code}}


def _error_response(refused: RefusedError) -> JSONResponse:
    # Read by OpenAI's SDKs, which otherwise repeat what failed: a whole turn of an agent, here.
    headers = {"x-should-retry": "false"} if refused.is_final else {}
    return JSONResponse(_error(refused), refused.status, headers)


class _OpenAIRoute(APIRoute):
    """Answers every error in OpenAI's form."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except RefusedError as refused:
                return _error_response(refused)
            except HTTPException as error:
                return _error_response(RefusedError(error.status_code, str(error.detail)))
            except RequestValidationError as invalid:
                found = invalid.errors()[0]
                place = ".".join(str(part) for part in found["loc"][1:]) or None
                message = f"{place}: {found['msg']}" if place else str(found["msg"])
                return _error_response(RefusedError(400, message, param=place, code="invalid_value"))

        return handled


_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "object", "required": ["message", "type", "param", "code"]}},
}
_ERRORS: dict[int | str, dict[str, Any]] = {
    # A request that never gets here, for its size or its origin, is answered as those of our own API are.
    kind: {"description": "An error", "content": {"application/json": {"schema": _ERROR}} | problems.CONTENT}
    for kind in ("4XX", "5XX")
}
router = APIRouter(prefix="/v1", route_class=_OpenAIRoute, tags=["OpenAI-compatible"], responses=_ERRORS)


def _model(request: Request) -> dict[str, Any]:
    name = request.app.state.loaded.config.metadata.name
    return {"id": name, "object": "model", "created": request.app.state.started_at, "owned_by": "kagent-render"}


def _check_model(request: Request, name: str) -> None:
    own = _model(request)["id"]
    if name != own:
        message = f"the model `{name[:64]}` does not exist; this server's is `{own}`"
        raise RefusedError(404, message, param="model", code="model_not_found")


@router.get("/models")
async def list_models(request: Request) -> dict[str, Any]:
    """The agent, as a model."""
    return {"object": "list", "data": [_model(request)]}


@router.get("/models/{name}")
async def get_model(request: Request, name: str) -> dict[str, Any]:
    """The agent, as a model."""
    _check_model(request, name)
    return _model(request)


@router.post("/chat/completions")
async def create_chat_completion(request: Request, body: ChatRequest) -> Response:
    """Ask the agent. The history may be sent each time, or named by `X-Conversation-Id`."""
    _check_model(request, body.model)
    turns = turns_of(body)
    DEPTH.set(read(request.headers.get(HEADER)))  # the run's task starts with it
    conversations = Conversations(request.app.state.sessions, request.app.state.store)
    started = await conversations.start(turns, request.headers, body.user)
    completion = _Completion(request, body, turns, conversations, started)
    headers = {SESSION_HEADER: started.session_id}
    if body.stream:
        frames = completion.frames()
        first = await anext(frames)  # begun here, so that it is closed also when the client has left already
        rest = sse.kept_alive(_after(first, frames))
        return StreamingResponse(rest, media_type=sse.MEDIA_TYPE, headers=sse.HEADERS | headers)
    return JSONResponse(await completion.whole(), headers=headers)


class _Completion:
    """One answer, from a run that has started."""

    def __init__(
        self, request: Request, body: ChatRequest, turns: list[Turn], conversations: Conversations, started: Started
    ) -> None:
        self._request, self._body, self._turns = request, body, turns
        self._conversations, self._started = conversations, started
        self._view = ChatView(is_live=is_live(request.app.state.loaded))
        self._final: Event | None = None
        self._waiting = list(started.waiting)
        self._finish_reason = "stop"
        self._id, self._created = f"chatcmpl-{started.run_id}", int(time.time())

    async def whole(self) -> dict[str, Any]:
        """The answer in one piece. Raises RefusedError."""
        reading = asyncio.ensure_future(self._read())
        leaving = asyncio.ensure_future(_left(self._request))
        try:
            await asyncio.wait([reading, leaving], return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                raise RefusedError(499, "the client has left")
            await reading
        finally:
            for task in (reading, leaving):
                task.cancel()
            await asyncio.wait([reading, leaving])
            self._leave()
        message = {"role": "assistant", "content": self._view.content, "refusal": None}
        if self._view.reasoning:
            message["reasoning_content"] = self._view.reasoning
        choice = {"index": 0, "message": message, "finish_reason": self._finish_reason, "logprobs": None}
        return self._about("chat.completion") | {"choices": [choice], "usage": self._usage()}

    async def _read(self) -> None:
        async for _ in self._pieces():
            pass

    async def frames(self) -> AsyncGenerator[bytes, None]:
        """The answer as server-sent events; an error after the first is one of them."""
        try:
            yield self._chunk({"role": "assistant", "content": ""})
            async with aclosing(self._pieces()) as pieces:
                async for kind, text in pieces:
                    yield self._chunk({kind: text})
        except RefusedError as refused:
            yield _frame(_error(refused))
            return
        finally:
            self._leave()
        yield self._chunk({}, self._finish_reason)
        if self._body.stream_options and self._body.stream_options.include_usage:
            yield _frame(self._about("chat.completion.chunk") | {"choices": [], "usage": self._usage()})
        yield b"data: [DONE]\n\n"

    def _leave(self) -> None:
        """Stop listening; the run too, if it has neither ended nor got to where a person decides."""
        self._started.close()
        if not (self._final or self._waiting):
            self._conversations.sessions.cancel(self._started.session_id)

    async def _pieces(self) -> AsyncGenerator[Piece, None]:
        if not self._waiting:
            async with aclosing(self._events()) as events:
                async for event in events:
                    for piece in self._view.see(event):
                        yield piece
        if self._waiting:
            yield self._view.say(approval_question(self._waiting))
        await self._remember()

    async def _events(self) -> AsyncGenerator[Event, None]:
        """The run's events, to its end or to where a person has to decide."""
        at = self._started
        try:
            async with aclosing(at.events) as events:
                async for event in events:
                    yield event
                    if event["type"] == "run.finished":
                        self._end(event)
                    elif event["type"] == "approval.requested":
                        await asyncio.sleep(GATHER_SECONDS)
                        log = await self._conversations.store.events(at.session_id, 0)
                        self._waiting = waiting_calls(of_run(log, at.run_id))
                        if self._waiting:
                            return
        except CutOffError:
            raise RefusedError(503, "the server is shutting down", code="server_shutting_down") from None

    def _end(self, final: Event) -> None:
        self._final = final
        if final["outcome"] == "limited":
            self._finish_reason = "length"
        elif final["outcome"] == "cancelled":
            raise RefusedError(409, "the run was cancelled", code="run_cancelled", is_final=True)
        elif final["outcome"] == "failed":
            raise RefusedError(502, failure_of(final), code="run_failed", is_final=True)

    async def _remember(self) -> None:
        about, content = self._request.headers, self._view.content
        await self._conversations.remember(self._started.run_id, self._turns, content, about, self._body.user)

    def _about(self, kind: str) -> dict[str, Any]:
        return {"id": self._id, "object": kind, "created": self._created, "model": self._body.model}

    def _chunk(self, delta: dict[str, str], finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
        return _frame(self._about("chat.completion.chunk") | {"choices": [choice]})

    def _usage(self) -> dict[str, int]:
        prompt, completion = tokens(self._final)
        return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


async def _after(first: bytes, frames: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    yield first
    async with aclosing(frames):
        async for item in frames:
            yield item


def _frame(data: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()


async def _left(request: Request) -> None:
    """Returns when the client has hung up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
