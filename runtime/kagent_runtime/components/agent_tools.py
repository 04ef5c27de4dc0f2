"""The workbench by which an agent asks other agents, over A2A, as anyone else would ask them."""

import asyncio
import os
import ssl
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from autogen_core import Component

from kagent_runtime import a2a_sdk
from kagent_runtime.auth.settings import AuthError
from kagent_runtime.auth.tokens import own_tokens
from kagent_runtime.components import texts
from kagent_runtime.components.credentials import Credentials
from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.components.judged_transport import JudgedTransport
from kagent_runtime.components.remote_workbench import RemoteWorkbench
from kagent_runtime.depth import DEPTH, HEADER, LIMIT
from kagent_runtime.journal import CALL, JOURNAL, UNKNOWN
from kagent_runtime.model.agent_tools import AgentTool, AgentToolsConfig

if TYPE_CHECKING:
    from kagent_runtime.components.a2a_client import Place, Question

_background: set[asyncio.Task[None]] = set()


class AgentTools(RemoteWorkbench[AgentTool], Component[AgentToolsConfig]):
    """Other agents. A question is a task of its own over there."""

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
        a2a = await a2a_sdk.loaded(_load)
        place = a2a.Place(
            url=tool.url,
            is_ours=tool.is_ours,
            headers={HEADER: str(depth)},
            tokens=_tokens(tool, credentials),
            seconds=tool.timeout_seconds,
            transport=lambda: _transport(tool.url),
        )
        call = CALL.get()
        asked = a2a.question(str(arguments["task"]), call.id if call else None, tool.max_bytes + 1)
        try:
            text = await (_found(a2a, place, asked) if call and call.is_again else a2a.ask(place, asked))
        except asyncio.CancelledError:
            if not _is_left(tool):
                # The task over there must end too; this one may not wait for that.
                _in_background(a2a.cancel(place, asked))
            raise
        except ToolFailureError as error:
            raise ToolFailureError(texts.head(texts.printable(str(error)), tool.max_bytes)) from None
        return texts.head(texts.printable(text), tool.max_bytes)

    def _to_config(self) -> AgentToolsConfig:
        return self._config

    @classmethod
    def _from_config(cls, config: AgentToolsConfig) -> Self:
        return cls(config)


def _load() -> Any:
    from kagent_runtime.components import a2a_client

    return a2a_client


async def _found(a2a: Any, place: "Place", asked: "Question") -> str:
    """The answer to a question of before an interruption. It is not put again: it may have changed something."""
    text: str | None = await a2a.find(place, asked)
    if text is None:
        raise ToolFailureError(UNKNOWN)
    return text


def _is_left(tool: AgentTool) -> bool:
    """Whether this run is gone on with elsewhere, where the task is found again."""
    journal = JOURNAL.get()
    return tool.is_ours and journal is not None and journal.is_closed


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


def _in_background(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(work)
    _background.add(task)  # the loop keeps weak references only
    task.add_done_callback(_background.discard)
