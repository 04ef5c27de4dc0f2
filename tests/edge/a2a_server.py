"""An A2A agent of somebody else on loopback, made with the server helpers of the official SDK.

What it does with a message is the test's own function. It can offer 0.3 only, be below a path, and drop connections.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from a2a.compat.v0_3 import types as former
from a2a.helpers import new_task_from_user_message
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_jsonrpc_routes
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import AgentCapabilities, AgentCard, AgentInterface, Message, Part, Role
from google.protobuf.json_format import MessageToDict
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as Told

from tests.edge.loopback import LoopbackServer

Work = Callable[[TaskUpdater, str], Awaitable[None]]
_EXTRA: dict[str, Any] = {"default_input_modes": ["text/plain"], "default_output_modes": ["text/plain"], "skills": []}


def parts(*texts: str) -> list[Part]:
    """Text parts."""
    return [Part(text=text) for text in texts]


@dataclass
class Asked:
    """One request as it came over the wire."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any = None


@dataclass
class Agent(AgentExecutor):
    """Does `work` with each message; a message may be the whole answer. Tells which tasks were cancelled."""

    work: Work
    reply: str = ""
    cancelled: list[str] = field(default_factory=list)
    heard: list[Message] = field(default_factory=list)

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        """One message."""
        assert context.message is not None
        self.heard.append(context.message)
        if self.reply:
            answer = Message(message_id="reply", role=Role.ROLE_AGENT, parts=parts(self.reply))
            answer.context_id = context.context_id or ""
            await event_queue.enqueue_event(answer)
            return
        task = context.current_task or new_task_from_user_message(context.message)
        await event_queue.enqueue_event(task)
        await self.work(TaskUpdater(event_queue, task.id, task.context_id), context.get_user_input())

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        """The end of a task that nobody wants any more."""
        self.cancelled.append(context.task_id or "")
        await TaskUpdater(event_queue, context.task_id or "", context.context_id or "").cancel()


class A2AServer(LoopbackServer):
    """The agent below `base`. `version` is the one that it offers; `card` replaces fields of its card.

    `cut_after`: how many frames of its streams come before the connection breaks.
    """

    def __init__(
        self,
        work: Work | None = None,
        *,
        reply: str = "",
        version: str = "1.0",
        base: str = "",
        streaming: bool = True,
        port: int = 0,
        card: Callable[[A2AServer], Any] | None = None,
    ) -> None:
        self.base, self.version, self.streaming, self._own_card = base, version, streaming, card
        self.agent = Agent(work or _echo, reply)
        self.asked: list[Asked] = []
        self.cut_after: int | None = None
        handler = DefaultRequestHandler(self.agent, InMemoryTaskStore(), self._modern_card(""))
        routes: list[Any] = [Route(f"{base}/.well-known/agent-card.json", self._serve_card)]
        routes += create_jsonrpc_routes(handler, f"{base}/", enable_v0_3_compat=version == "0.3")
        super().__init__(_Wire(Starlette(routes=routes), self), port=port)

    @property
    def url(self) -> str:
        """The base URL of the agent."""
        return f"{self.origin}{self.base}"

    def methods(self) -> list[str]:
        """The JSON-RPC methods that were asked for, in order."""
        return [asked.body["method"] for asked in self.asked if asked.body]

    def _modern_card(self, url: str) -> AgentCard:
        interface = AgentInterface(url=url, protocol_binding="JSONRPC", protocol_version=self.version)
        capabilities = AgentCapabilities(streaming=self.streaming)
        return AgentCard(
            name="vendor",
            description="d",
            version="1",
            supported_interfaces=[interface],
            capabilities=capabilities,
            **_EXTRA,
        )

    async def _serve_card(self, request: Request) -> Response:
        if self._own_card is not None:
            found = self._own_card(self)
            return found if isinstance(found, Response) else JSONResponse(found)
        return JSONResponse(self.card())

    def card(self, url: str | None = None) -> dict[str, Any]:
        """The card as JSON, in the form of its version; `url` is the interface's."""
        url = url or f"{self.url}/"
        if self.version != "0.3":
            return MessageToDict(self._modern_card(url))
        told = former.AgentCard(
            name="vendor",
            description="d",
            version="1",
            url=url,
            protocol_version="0.3.0",
            capabilities=former.AgentCapabilities(streaming=self.streaming),
            **_EXTRA,
        )
        return told.model_dump(mode="json", by_alias=True, exclude_none=True)


class _Wire:
    """Notes every request, speaks one version only, and breaks streams."""

    def __init__(self, app: ASGIApp, server: A2AServer) -> None:
        self._app, self._server = app, server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        request = Request(scope, receive)
        body = await request.body()
        told = json.loads(body) if body else None
        headers = dict(request.headers)
        self._server.asked.append(Asked(request.method, request.url.path, headers, told))
        if told and headers.get("a2a-version", "0.3") != self._server.version:
            error = {"code": -32009, "message": "Version not supported"}
            await JSONResponse({"jsonrpc": "2.0", "id": told["id"], "error": error})(scope, receive, send)
            return
        frames = 0

        async def sent(message: Told) -> None:
            nonlocal frames
            if message["type"] == "http.response.body" and message.get("body", b"").startswith(b"data:"):
                frames += 1
                if self._server.cut_after is not None and frames > self._server.cut_after:
                    raise ConnectionResetError("the wire is cut")
            await send(message)

        unread = [body]

        async def received() -> Told:
            if not unread:
                return await receive()
            return {"type": "http.request", "body": unread.pop(), "more_body": False}

        await self._app(scope, received, sent)


async def _echo(updater: TaskUpdater, text: str) -> None:
    """In two pieces, which belong together."""
    half = len(text) // 2
    await updater.start_work()
    await updater.add_artifact(parts(text[:half]), artifact_id="a", append=False)
    await updater.add_artifact(parts(text[half:]), artifact_id="a", append=True, last_chunk=True)
    await updater.complete()


def saying(texts: Iterable[str], sleep: float = 0.0) -> Work:
    """Work that says pieces of one artifact, with pauses."""

    async def work(updater: TaskUpdater, text: str) -> None:
        await updater.start_work()
        for number, piece in enumerate(texts):
            await updater.add_artifact(parts(piece), artifact_id="a", append=number > 0)
            await asyncio.sleep(sleep)
        await updater.complete()

    return work
