"""What workbenches of tools with declared arguments share: every call ends in time, and as a result.

AutoGen's AssistantAgent waits for ever when a tool is cancelled or a workbench raises (upstream #7956).
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

from autogen_core import CancellationToken
from autogen_core.tools import ParametersSchema, TextResultContent, ToolResult, ToolSchema, Workbench

from kagent_runtime.components.arguments import checked
from kagent_runtime.components.credentials import Credentials
from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.model.remote import CalledTool

_log = logging.getLogger(__name__)
SomeTool = TypeVar("SomeTool", bound=CalledTool)


class RemoteWorkbench(Workbench, Generic[SomeTool]):
    """Tools with declared arguments. A subclass says how they are carried out, in `_perform`."""

    def __init__(self, tools: Sequence[SomeTool]) -> None:
        self._tools = {tool.name: tool for tool in tools}

    async def _perform(self, tool: SomeTool, arguments: dict[str, Any], credentials: Credentials) -> str:
        """Carry out a call whose arguments are checked. Raises ToolFailureError."""
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
        credentials = Credentials()
        task = asyncio.ensure_future(self._call(tool, arguments or {}, credentials))
        if cancellation_token is not None:
            cancellation_token.link_future(task)
        try:
            text, is_error = await asyncio.wait_for(task, tool.timeout_seconds), False
        except asyncio.CancelledError:
            text, is_error = "cancelled", True
        except TimeoutError:
            text, is_error = f"no complete answer within {tool.timeout_seconds:g} s", True
        except ToolFailureError as error:
            text, is_error = str(error), True
        except Exception as error:
            # Its text may hold anything; the type is enough to find it.
            _log.warning("tool %s failed: %s", name, type(error).__name__)
            text, is_error = f"the tool failed: {type(error).__name__}", True
        return _result(name, credentials.redact(text), is_error=is_error)

    async def _call(self, tool: SomeTool, arguments: Mapping[str, Any], credentials: Credentials) -> str:
        return await self._perform(tool, checked(tool.name, tool.parameters, arguments), credentials)

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
