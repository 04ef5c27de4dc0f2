"""The workbench that offers Kubernetes tools to an agent. It never raises and never hangs.

AutoGen's AssistantAgent waits for ever when a tool is cancelled or a workbench raises (upstream #7956).
"""

import asyncio
import contextvars
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Self

from autogen_core import CancellationToken, Component
from autogen_core.tools import ParametersSchema, TextResultContent, ToolResult, ToolSchema, Workbench

from kagent_runtime.approvals import APPROVED_PREVIEW
from kagent_runtime.components.cluster import GIVEN_UP, ClusterError
from kagent_runtime.components.condense import ends
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
        work = partial(run, approved=APPROVED_PREVIEW.get(), limit=self._config.max_output_bytes)
        text, is_error = await self._answer(name, arguments, cancellation_token, work)
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
        context, given_up = contextvars.copy_context(), threading.Event()
        context.run(GIVEN_UP.set, given_up)
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
            return ends(str(error), self._config.max_output_bytes), True
        except Exception as error:
            return f"the tool failed: {type(error).__name__}", True
        finally:
            given_up.set()
        return (None if text is None else ends(text, self._config.max_output_bytes)), False

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
