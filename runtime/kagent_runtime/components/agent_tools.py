"""The workbench by which an agent asks other agents, over the API that everyone else uses."""

import asyncio
import json
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import httpx2
from autogen_core import Component

from kagent_runtime.auth.settings import AuthError
from kagent_runtime.auth.tokens import own_tokens
from kagent_runtime.components import texts
from kagent_runtime.components.credentials import Credentials
from kagent_runtime.components.egress import EgressError
from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.components.judged_transport import JudgedTransport
from kagent_runtime.components.remote_workbench import RemoteWorkbench
from kagent_runtime.depth import DEPTH, HEADER, LIMIT
from kagent_runtime.model.agent_tools import AgentTool, AgentToolsConfig

CONNECT_SECONDS = 60.0  # one that was scaled to zero has to start first
CANCEL_SECONDS = 5.0
_background: set[asyncio.Task[None]] = set()


class AgentTools(RemoteWorkbench[AgentTool], Component[AgentToolsConfig]):
    """Other agents. A question is a session of its own over there."""

    component_type = "workbench"
    component_config_schema = AgentToolsConfig
    component_provider_override = "kagent_runtime.components.AgentTools"

    def __init__(self, config: AgentToolsConfig) -> None:
        super().__init__(config.tools)
        self._config = config

    async def _perform(self, tool: AgentTool, arguments: dict[str, Any], credentials: Credentials) -> str:
        depth = DEPTH.get() + 1
        if depth > LIMIT:
            raise ToolFailureError(f"agents have asked each other {LIMIT} times for this; answer with what there is")
        try:
            async with _client(tool, depth) as client:
                text = await _ask(client, str(arguments["task"]), _tokens(tool, credentials))
        except httpx2.HTTPError as error:
            raise ToolFailureError(f"the agent cannot be reached: {type(error).__name__}") from None
        return texts.head(texts.printable(text), tool.max_bytes)

    def _to_config(self) -> AgentToolsConfig:
        return self._config

    @classmethod
    def _from_config(cls, config: AgentToolsConfig) -> Self:
        return cls(config)


@asynccontextmanager
async def _client(tool: AgentTool, depth: int) -> AsyncIterator[httpx2.AsyncClient]:
    timeout = httpx2.Timeout(tool.timeout_seconds, connect=CONNECT_SECONDS)
    options: dict[str, Any] = {"timeout": timeout, "headers": {HEADER: str(depth)}}
    base = f"{tool.url}/api/v1"
    async with httpx2.AsyncClient(base_url=base, transport=_transport(base), trust_env=False, **options) as client:
        yield client


def _transport(url: str) -> JudgedTransport:
    """Agents are on the cluster's network, or in the same pod; a name that leads to metadata is no agent."""
    return JudgedTransport(url, _trust() if url.startswith("https:") else None, allow_private=True)


def _trust() -> ssl.SSLContext:
    """The issuer of our own certificate, which is shown as well: with mutual TLS it is what lets us in."""
    context = ssl.create_default_context()
    folder = os.environ.get("KAGENT_TLS_FOLDER")
    if folder:
        if Path(folder, "ca.crt").exists():
            context.load_verify_locations(Path(folder, "ca.crt"))
        context.load_cert_chain(Path(folder, "tls.crt"), Path(folder, "tls.key"))
    return context


def _tokens(tool: AgentTool, credentials: Credentials) -> list[str]:
    """What may be shown to the other agent, none of which is ever told."""
    if tool.token_file is None:
        return []
    try:
        found = own_tokens(tool.token_file)
    except AuthError as error:
        raise ToolFailureError(f"this agent's own token cannot be read: {error}") from None
    for token in found:
        credentials.add(token)
    return found


async def _ask(client: httpx2.AsyncClient, task: str, tokens: list[str]) -> str:
    session = (await _checked(await _opened(client, tokens)))["id"]
    try:
        return await _answer(client, session, task)
    except asyncio.CancelledError:
        # The turn over there must end too; this task may not wait for that.
        _in_background(_cancel(str(client.base_url), dict(client.headers), session))
        raise


async def _opened(client: httpx2.AsyncClient, tokens: list[str]) -> httpx2.Response:
    """A session over there; while tokens change, the two sides may for a moment not have the same ones."""
    for token in tokens or [""]:
        if token:
            client.headers["Authorization"] = f"Bearer {token}"
        answer = await client.post("/sessions", json={"title": "asked by another agent"})
        if answer.status_code != 401:
            break
    return answer


async def _answer(client: httpx2.AsyncClient, session: str, task: str) -> str:
    said, path = "", f"/sessions/{session}/messages"
    headers = {"Accept": "text/event-stream"}
    async with client.stream("POST", path, json={"content": task}, headers=headers) as answer:
        if answer.status_code >= 300:
            await answer.aread()
            await _checked(answer)
        async for line in answer.aiter_lines():
            if not line.startswith("data:"):
                continue
            event = json.loads(line.removeprefix("data:"))
            if event["type"] == "message":
                said = event["content"]
            elif event["type"] == "run.finished":
                return _end(event, said)
    raise ToolFailureError("the agent's answer was cut off")


def _end(event: dict[str, Any], said: str) -> str:
    if event["outcome"] == "completed":
        return said or "The agent ended its turn without saying anything."
    error = event.get("error") or {}
    reason = error.get("title") or event.get("stopReason") or event["outcome"]
    partly = f" Before, it said: {said}" if said else ""
    raise ToolFailureError(f"the agent's turn {event['outcome']}: {reason}.{partly}")


async def _checked(answer: httpx2.Response) -> dict[str, Any]:
    if answer.status_code >= 400:
        detail = texts.one_line(answer.text, 200)
        raise ToolFailureError(f"the agent answered HTTP {answer.status_code}: {detail}")
    if answer.is_redirect:
        raise ToolFailureError(f"{answer.url.host} redirects with HTTP {answer.status_code}, which is not followed")
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict) or "id" not in body:
        raise ToolFailureError(f"{answer.url.host} does not answer as an agent does")
    return body


def _in_background(work: Any) -> None:
    task: asyncio.Task[None] = asyncio.ensure_future(work)
    _background.add(task)  # the loop keeps weak references only
    task.add_done_callback(_background.discard)


async def _cancel(base_url: str, headers: dict[str, str], session: str) -> None:
    try:
        async with httpx2.AsyncClient(
            transport=_transport(base_url), trust_env=False, timeout=CANCEL_SECONDS
        ) as client:
            told = {name: headers[name.lower()] for name in (HEADER, "Authorization") if name.lower() in headers}
            await client.post(f"{base_url.rstrip('/')}/sessions/{session}/cancel", headers=told)
    except (httpx2.HTTPError, EgressError):
        return  # it ends by its own limits
