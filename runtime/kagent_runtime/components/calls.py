"""Calls of tools that end: in time, when they are cancelled, and always as a result.

AutoGen's AssistantAgent waits for ever when a tool is cancelled or a workbench raises (upstream #7956).
"""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from typing import Any

from autogen_core import CancellationToken
from autogen_core.tools import TextResultContent, ToolResult, Workbench

from kagent_runtime.components.credentials import Credentials
from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.components.texts import head, printable

_log = logging.getLogger(__name__)
CLEAN_UP_SECONDS = 0.5  # for a call that was cancelled; what then still runs is left behind


class CallingWorkbench(Workbench):
    """A workbench that keeps nothing between calls. A subclass lists and calls its tools."""

    async def start(self) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """Nothing to stop."""

    async def reset(self) -> None:
        """Nothing is kept."""

    async def save_state(self) -> Mapping[str, Any]:
        """Nothing is kept."""
        return {}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Nothing is kept."""


async def ended(
    name: str,
    call: Coroutine[Any, Any, str],
    *,
    seconds: float,
    limit: int,
    token: CancellationToken | None,
    credentials: Credentials | None = None,
) -> ToolResult:
    """The result of a call; of one that fails, takes too long or is cancelled, a result that says so."""
    task = asyncio.ensure_future(call)
    try:
        text, is_error = await _outcome(name, task, seconds, token)
    except asyncio.CancelledError:
        task.cancel()
        text, is_error = "cancelled", True
    shown = printable(credentials.redact(text) if credentials else text)
    return result(name, head(shown, limit), is_error=is_error)


async def _outcome(
    name: str, task: asyncio.Task[str], seconds: float, token: CancellationToken | None
) -> tuple[str, bool]:
    cancelled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    if token is not None:
        token.link_future(cancelled)
    waited: set[asyncio.Future[Any]] = {task, cancelled}
    await asyncio.wait(waited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        reason = "cancelled" if cancelled.done() else f"no complete answer within {seconds:g} s"
        task.cancel()
        await asyncio.wait({task}, timeout=CLEAN_UP_SECONDS)
        if not task.done():
            task.add_done_callback(_forgotten)
        return reason, True
    try:
        return task.result(), False
    except asyncio.CancelledError:
        return "cancelled", True
    except ToolFailureError as error:
        return str(error), True
    except Exception as error:
        # Its text may hold anything; the type is enough to find it.
        _log.warning("tool %s failed: %s", name, type(error).__name__)
        return f"the tool failed: {type(error).__name__}", True


def _forgotten(task: asyncio.Task[str]) -> None:
    if not task.cancelled():
        task.exception()  # nobody else asks for it


def result(name: str, text: str, *, is_error: bool) -> ToolResult:
    """A result of text."""
    return ToolResult(name=name, result=[TextResultContent(content=text)], is_error=is_error)
