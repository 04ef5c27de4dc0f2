"""The workbench that offers Kubernetes tools to an agent. It never raises and never hangs.

AutoGen's AssistantAgent waits for ever when a tool is cancelled or a workbench raises (upstream #7956).
"""

import asyncio
import contextvars
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Self

from autogen_core import CancellationToken, Component
from autogen_core.tools import ParametersSchema, TextResultContent, ToolResult, ToolSchema, Workbench

from kagent_runtime.approvals import APPROVED_PREVIEW
from kagent_runtime.components.cluster import ClusterError
from kagent_runtime.components.kubernetes_operations import ArgumentError, preview, run
from kagent_runtime.model import KubernetesTool, KubernetesToolsConfig

_Work = Callable[[KubernetesTool, dict[str, Any], float], str | None]
# The client is synchronous; the loop's default pool has six threads on two cores, which is soon full.
_threads = ThreadPoolExecutor(max_workers=32, thread_name_prefix="kubernetes")


class KubernetesTools(Workbench, Component[KubernetesToolsConfig]):
    """Kubernetes tools within what was granted."""

    component_type = "workbench"
    component_config_schema = KubernetesToolsConfig
    component_provider_override = "kagent_runtime.components.KubernetesTools"

    def __init__(self, config: KubernetesToolsConfig) -> None:
        self._config = config
        self._tools = {tool.name: tool for tool in config.tools}

    async def list_tools(self) -> list[ToolSchema]:
        """The tools as the model is told of them."""
        return [_schema(tool) for tool in self._config.tools]

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        """Call a tool. Every failure is a result with `is_error`, in words that a model can act on."""
        approved = APPROVED_PREVIEW.get()
        text, is_error = await self._answer(name, arguments, cancellation_token, partial(run, approved=approved))
        return _result(name, text or "", is_error=is_error)

    async def preview(
        self, name: str, arguments: Mapping[str, Any], token: CancellationToken | None
    ) -> tuple[str | None, bool]:
        """What a call would change, for a person to approve, or why it cannot be; and whether that is an error."""
        return await self._answer(name, arguments, token, preview)

    async def _answer(
        self, name: str, arguments: Mapping[str, Any] | None, token: CancellationToken | None, work: _Work
    ) -> tuple[str | None, bool]:
        tool = self._tools.get(name)
        if tool is None:
            return f"there is no tool `{name}`; there are: {', '.join(self._tools)}", True
        timeout = self._config.timeout_seconds
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(_threads, context.run, work, tool, dict(arguments or {}), timeout)
        if token is not None:
            token.link_future(future)
        try:
            text = await asyncio.wait_for(future, timeout)
        except asyncio.CancelledError:
            return "cancelled", True
        except TimeoutError:
            return f"no answer within {timeout:g} s", True
        except (ArgumentError, ClusterError) as error:
            return shorten(str(error), self._config.max_output_bytes), True
        except Exception as error:
            return f"the tool failed: {type(error).__name__}", True
        return (None if text is None else shorten(text, self._config.max_output_bytes)), False

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

    def _to_config(self) -> KubernetesToolsConfig:
        return self._config

    @classmethod
    def _from_config(cls, config: KubernetesToolsConfig) -> Self:
        return cls(config)


def _schema(tool: KubernetesTool) -> ToolSchema:
    parameters = ParametersSchema(
        type="object",
        properties={name: item.model_dump(exclude_none=True) for name, item in tool.parameters.properties.items()},
        required=list(tool.parameters.required),
        additionalProperties=False,
    )
    return ToolSchema(name=tool.name, description=tool.description, parameters=parameters)


def _result(name: str, text: str, *, is_error: bool) -> ToolResult:
    return ToolResult(name=name, result=[TextResultContent(content=text)], is_error=is_error)


def shorten(text: str, limit: int) -> str:
    """Head and tail of a text that is too long, with a note between."""
    raw = text.encode()
    if len(raw) <= limit:
        return text
    half = limit // 2
    head, tail = raw[:half].decode("utf-8", "ignore"), raw[-half:].decode("utf-8", "ignore")
    return f"{head}\n\n[… {len(raw) - limit:,} bytes left out; narrow the request to see them …]\n\n{tail}"
