"""What workbenches of tools with declared arguments share: every call ends in time, and as a result.

AutoGen's AssistantAgent waits for ever when a tool is cancelled or a workbench raises (upstream #7956).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from autogen_core import CancellationToken
from autogen_core.tools import ParametersSchema, TextResultContent, ToolResult, ToolSchema, Workbench

from kagent_runtime.approvals import APPROVED_PREVIEW
from kagent_runtime.components import texts
from kagent_runtime.components.arguments import checked
from kagent_runtime.components.credentials import Credentials
from kagent_runtime.components.failures import UNKNOWN, ToolFailureError
from kagent_runtime.model.remote import CalledTool

_log = logging.getLogger(__name__)
SomeTool = TypeVar("SomeTool", bound=CalledTool)


class RemoteWorkbench(Workbench, Generic[SomeTool]):
    """Tools with declared arguments. A subclass says how they are carried out, in `_perform`.

    One that changes something also says what a call would change, in `_preview`, and has `_perform` confirm it.
    """

    subject = "what it would do"
    """What is said to have changed when a call is no longer what was approved."""
    max_preview = texts.MAX_PREVIEW

    def __init__(self, tools: Sequence[SomeTool]) -> None:
        self._tools = {tool.name: tool for tool in tools}

    async def _perform(self, tool: SomeTool, arguments: dict[str, Any], credentials: Credentials) -> str:
        """Carry out a call whose arguments are checked. Raises ToolFailureError."""
        raise NotImplementedError

    def _is_change(self, tool: SomeTool) -> bool:
        """Whether a call of it changes something: then it has a preview."""
        return False

    async def _preview(self, tool: SomeTool, arguments: dict[str, Any], credentials: Credentials) -> str:
        """What such a call would change. Raises ToolFailureError for one that would fail."""
        raise NotImplementedError

    async def list_tools(self) -> list[ToolSchema]:
        """The tools as the model is told of them."""
        return [_schema(tool) for tool in self._tools.values()]

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        """Call a tool. Every failure is a result with `is_error`, in words that a model can act on."""
        tool = self._tools.get(name)
        if tool is None:
            return _result(name, f"there is no tool `{name}`; there are: {', '.join(self._tools)}", is_error=True)
        note = UNKNOWN if self._is_change(tool) else ""
        text, is_error = await self._ended(tool, arguments or {}, cancellation_token, self._perform, note)
        return _result(name, text, is_error=is_error)

    async def preview(
        self, name: str, arguments: Mapping[str, Any], token: CancellationToken | None
    ) -> tuple[str | None, bool]:
        """What a call would change, for a person to approve, or why it cannot be; and whether that is an error."""
        tool = self._tools.get(name)
        if tool is None or not self._is_change(tool):
            return None, False
        return await self._ended(tool, arguments, token, self._shown_preview)

    async def _ended(
        self,
        tool: SomeTool,
        arguments: Mapping[str, Any],
        token: CancellationToken | None,
        work: Callable[[SomeTool, dict[str, Any], Credentials], Awaitable[str]],
        note: str = "",
    ) -> tuple[str, bool]:
        """What the work comes to within the tool's time, and whether that is an error; no secret is in it.

        `note` is what is added when the work was broken off.
        """
        credentials = Credentials()

        async def checked_work() -> str:
            return await work(tool, checked(tool.name, tool.parameters, arguments), credentials)

        task = asyncio.ensure_future(checked_work())
        if token is not None:
            token.link_future(task)
        try:
            text, is_error = await asyncio.wait_for(task, tool.timeout_seconds), False
        except asyncio.CancelledError:
            text, is_error = f"cancelled{note}", True
        except TimeoutError:
            text, is_error = f"no complete answer within {tool.timeout_seconds:g} s{note}", True
        except ToolFailureError as error:
            text, is_error = str(error), True
        except Exception as error:
            # Its text may hold anything; the type is enough to find it.
            _log.warning("tool %s failed: %s", tool.name, type(error).__name__)
            text, is_error = f"the tool failed: {type(error).__name__}", True
        return credentials.redact(text), is_error

    async def _shown_preview(self, tool: SomeTool, arguments: dict[str, Any], credentials: Credentials) -> str:
        return self._shown(await self._preview(tool, arguments, credentials), credentials)

    def _shown(self, preview: str, credentials: Credentials) -> str:
        return texts.bounded(credentials.redact(texts.visible(preview)), self.max_preview)

    def _confirm(self, preview: str, credentials: Credentials) -> None:
        """Nothing is done but what was approved. Raises ToolFailureError with what it would be now."""
        approved = APPROVED_PREVIEW.get()
        if approved is not None and (now := self._shown(preview, credentials)) != approved:
            message = f"not done: {self.subject} has changed since this was approved. It would now be:\n{now}"
            raise ToolFailureError(message)

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


def _schema(tool: CalledTool) -> ToolSchema:
    parameters = ParametersSchema(
        type="object",
        properties={name: item.model_dump(exclude_none=True) for name, item in tool.parameters.properties.items()},
        required=list(tool.parameters.required),
        additionalProperties=False,
    )
    return ToolSchema(name=tool.name, description=tool.description, parameters=parameters)


def _result(name: str, text: str, *, is_error: bool) -> ToolResult:
    return ToolResult(name=name, result=[TextResultContent(content=text)], is_error=is_error)
