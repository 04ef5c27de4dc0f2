"""The workbench that offers Kubernetes tools to an agent. It never raises and never hangs.

AutoGen's AssistantAgent waits for ever when a tool is cancelled or a workbench raises (upstream #7956).
"""

import asyncio
import contextvars
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

from autogen_core import CancellationToken, Component
from autogen_core.tools import ParametersSchema, TextResultContent, ToolResult, ToolSchema, Workbench

from kagent_runtime.components.cluster import ClusterError
from kagent_runtime.components.kubernetes_operations import ArgumentError, run
from kagent_runtime.model import KubernetesTool, KubernetesToolsConfig

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
        tool = self._tools.get(name)
        if tool is None:
            return _result(name, f"there is no tool `{name}`; there are: {', '.join(self._tools)}", is_error=True)
        timeout = self._config.timeout_seconds
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(_threads, context.run, run, tool, dict(arguments or {}), timeout)
        if cancellation_token is not None:
            cancellation_token.link_future(future)
        try:
            text = await asyncio.wait_for(future, timeout)
        except asyncio.CancelledError:
            return _result(name, "cancelled", is_error=True)
        except TimeoutError:
            return _result(name, f"no answer within {timeout:g} s", is_error=True)
        except (ArgumentError, ClusterError) as error:
            return _result(name, str(error), is_error=True)
        except Exception as error:
            return _result(name, f"the tool failed: {type(error).__name__}", is_error=True)
        return _result(name, _shorten(text, self._config.max_output_bytes), is_error=False)

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


def _shorten(text: str, limit: int) -> str:
    raw = text.encode()
    if len(raw) <= limit:
        return text
    half = limit // 2
    head, tail = raw[:half].decode("utf-8", "ignore"), raw[-half:].decode("utf-8", "ignore")
    return f"{head}\n\n[… {len(raw) - limit:,} bytes left out; narrow the request to see them …]\n\n{tail}"
