"""Asking another agent over A2A, by the official SDK's client: a question is a task over there, followed to its end.

Source: A2A 1.0, "Protocol operations". The SDK is loaded with this module, so at an agent's first question.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import httpx
import httpx2
from a2a.client import Client, ClientCallContext, ClientConfig, ClientFactory
from a2a.extensions.common import HTTP_EXTENSION_HEADER
from a2a.types import (
    AgentCard,
    CancelTaskRequest,
    GetTaskRequest,
    ListTasksRequest,
    Message,
    Part,
    Role,
    SendMessageRequest,
)
from a2a.utils.constants import PROTOCOL_VERSION_1_0, VERSION_HEADER
from a2a.utils.errors import A2AError
from google.protobuf import json_format

from kagent_runtime.components import texts
from kagent_runtime.components.a2a_answers import Progress
from kagent_runtime.components.a2a_card import foreign_card, own_card
from kagent_runtime.components.a2a_http import GuardedTransport, RefusedError
from kagent_runtime.components.egress import EgressError
from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.components.judged_transport import JudgedTransport
from kagent_runtime.interfaces.a2a_card import APPROVALS_EXTENSION

CONNECT_SECONDS = 60.0  # one that was scaled to zero has to start first
CANCEL_SECONDS = 5.0
_FIRST_WAIT, _LONGEST_WAIT = 0.25, 5.0
_PATIENCE = 12  # failures in a row: about fifty seconds, in which a pod is replaced
_HISTORY = 5
_NAMESPACE = uuid.UUID("6f5b3a52-5c0e-4d0b-9a53-0f3c9f8b7f3e")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an agent is, and what is shown to it. `tokens` are tried one after the other."""

    url: str
    is_ours: bool
    headers: Mapping[str, str]
    tokens: Sequence[str]
    seconds: float
    transport: Callable[[], JudgedTransport]


@dataclass(slots=True)
class Question:
    """A question and what is known of it. One with the same `id` is the same, over there as well.

    Its context is made from its id: by that it is found again when its answer was lost.
    """

    text: str
    id: str
    progress: Progress
    card: AgentCard | None = None
    token: str = field(default="", repr=False)

    @property
    def context_id(self) -> str:
        """The conversation that it is the only question of."""
        return str(uuid.uuid5(_NAMESPACE, f"context {self.id}"))

    def message(self, *, is_ours: bool) -> Message:
        """As it is sent. A context of the client's own is not every agent's."""
        sent = Message(message_id=self.id, role=Role.ROLE_USER, parts=[Part(text=self.text)])
        if is_ours:
            sent.context_id = self.context_id
        return sent


def question(text: str, key: str | None, limit: int) -> Question:
    """A question; of the same key always with the same id."""
    id = uuid.uuid5(_NAMESPACE, key) if key else uuid.uuid4()
    return Question(text, str(id), Progress(limit))


async def ask(place: Place, asked: Question) -> str:
    """The answer. Raises ToolFailureError; one who is cancelled calls `cancel` when the task should end too."""
    with _failures():
        async with _http(place, asked) as http:
            asked.card = own_card(place.url) if place.is_ours else await foreign_card(http, place.url)
            client = _client(http, asked.card)
            broken = await _with_token(http, place.tokens, asked, partial(_follow, client, place, asked))
            if broken and place.is_ours:
                await _look(client, asked)
            if not asked.progress.is_known:
                raise ToolFailureError(f"the agent's answer {broken}: it is unknown whether it carries the task out")
            await _settled(client, asked)
        return await _ended(place, asked)


async def find(place: Place, asked: Question) -> str | None:
    """The answer to a question that was put before, if it is known over there. Raises ToolFailureError."""
    with _failures():
        async with _http(place, asked) as http:
            asked.card = own_card(place.url)
            client = _client(http, asked.card)
            try:
                await _with_token(http, place.tokens, asked, partial(_look, client, asked))
            except (httpx2.HTTPError, A2AError, ToolFailureError):
                return None
            if not asked.progress.is_known:
                return None
            await _settled(client, asked)
        return await _ended(place, asked)


async def cancel(place: Place, asked: Question) -> None:
    """End the task over there, as far as it is known. What cannot be reached ends by its own limits."""
    try:
        with _failures():
            async with asyncio.timeout(CANCEL_SECONDS), _http(place, asked) as http:
                await _cancel(http, place, asked)
    except (ToolFailureError, TimeoutError):
        return


async def _cancel(http: httpx.AsyncClient, place: Place, asked: Question) -> None:
    if asked.card is None:
        return
    client = _client(http, asked.card)
    if not asked.progress.task_id and place.is_ours:
        await _look(client, asked)
    if asked.progress.task_id:
        await client.cancel_task(CancelTaskRequest(id=asked.progress.task_id))


@asynccontextmanager
async def _http(place: Place, asked: Question) -> AsyncIterator[httpx.AsyncClient]:
    timeout = httpx.Timeout(place.seconds, connect=CONNECT_SECONDS)
    headers = {VERSION_HEADER: PROTOCOL_VERSION_1_0, **place.headers}
    if asked.token:
        headers["Authorization"] = f"Bearer {asked.token}"
    transport = GuardedTransport(place.transport())
    async with httpx.AsyncClient(transport=transport, trust_env=False, timeout=timeout, headers=headers) as http:
        yield http


def _client(http: httpx.AsyncClient, card: AgentCard) -> Client:
    """Of an agent that does not stream, the task at once: its id is what ends it."""
    config = ClientConfig(httpx_client=http, polling=not card.capabilities.streaming)
    return ClientFactory(config).create(card)


async def _with_token(
    http: httpx.AsyncClient, tokens: Sequence[str], asked: Question, request: Callable[[], Awaitable[_T]]
) -> _T:
    """While tokens change, the two sides may for a moment not have the same ones."""
    for number, token in enumerate(tokens, 1):
        asked.token, http.headers["Authorization"] = token, f"Bearer {token}"
        try:
            return await request()
        except RefusedError as error:
            if error.status != 401 or number == len(tokens):
                raise
    return await request()


async def _follow(client: Client, place: Place, asked: Question) -> str:
    """Send it, and take in what is told until nothing follows; or how the answer broke off before."""
    request = SendMessageRequest(message=asked.message(is_ours=place.is_ours))
    context = ClientCallContext(service_parameters={HTTP_EXTENSION_HEADER: APPROVALS_EXTENSION})
    try:
        async with aclosing(client.send_message(request, context=context)) as told:  # type: ignore[type-var]
            async for item in told:
                asked.progress.see(item)
                if asked.progress.is_at_rest:
                    return ""
    except httpx2.ConnectError:
        raise  # nothing was sent
    except httpx2.TransportError as error:
        return f"broke off ({type(error).__name__})"
    return "was cut off"


async def _look(client: Client, asked: Question) -> None:
    """Find the task of the question's own context, if there is one. A list has no artifacts: it is asked for after."""
    request = ListTasksRequest(context_id=asked.context_id)
    listed = await _patiently(partial(client.list_tasks, request))
    for task in listed.tasks[:1]:
        asked.progress.task_id = task.id


async def _settled(client: Client, asked: Question) -> None:
    """Ask for the task until nothing follows: its stream broke off, or there is none."""
    wait = _FIRST_WAIT
    while not asked.progress.is_at_rest:
        await asyncio.sleep(wait)
        wait = min(wait * 2, _LONGEST_WAIT)
        request = GetTaskRequest(id=asked.progress.task_id, history_length=_HISTORY)
        asked.progress.see_task(await _patiently(partial(client.get_task, request)))


async def _patiently(request: Callable[[], Awaitable[_T]]) -> _T:
    """What only reads is asked again: the pod over there may be the one that is being replaced."""
    wait = _FIRST_WAIT
    for _ in range(_PATIENCE):
        try:
            return await request()
        except httpx2.TransportError:
            pass
        except RefusedError as error:
            if error.status < 500:
                raise
        await asyncio.sleep(wait)
        wait = min(wait * 2, _LONGEST_WAIT)
    return await request()


async def _ended(place: Place, asked: Question) -> str:
    """The answer; what only waits over there is ended first."""
    if asked.progress.is_open:
        await cancel(place, asked)
    return asked.progress.answer()


@contextmanager
def _failures() -> Iterator[None]:
    """Everything that the network and the SDK raise, as ToolFailureError."""
    try:
        yield
    except EgressError:
        raise
    except (httpx2.HTTPError, httpx.HTTPError) as error:
        raise ToolFailureError(f"the agent cannot be reached: {type(error).__name__}") from None
    except A2AError as error:
        raise ToolFailureError(f"the agent refused: {texts.one_line(str(error), 300)}") from None
    except (json_format.Error, ValueError, TypeError, AttributeError, KeyError, RecursionError):
        # Of an answer that is none of the protocol the SDK raises what it happens to stumble over.
        raise ToolFailureError("what the agent answers is no A2A") from None
