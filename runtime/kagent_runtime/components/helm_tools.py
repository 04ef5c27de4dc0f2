"""The workbench that offers helm tools to an agent.

Releases are read from the Secrets that Helm keeps them in, and changed by the helm program.
"""

import asyncio
import contextvars
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

from autogen_core import CancellationToken, Component

from kagent_runtime.approvals import APPROVED_PREVIEW
from kagent_runtime.components import helm_changes, helm_operations, texts
from kagent_runtime.components.arguments import checked
from kagent_runtime.components.cluster import ClusterError
from kagent_runtime.components.credentials import Credentials
from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.components.kubernetes_plan import bounded
from kagent_runtime.components.remote_workbench import RemoteWorkbench
from kagent_runtime.model.helm_tools import HelmTool, HelmToolsConfig

_threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="helm")


class HelmTools(RemoteWorkbench[HelmTool], Component[HelmToolsConfig]):
    """Releases of Helm, within the namespaces that were granted."""

    component_type = "workbench"
    component_config_schema = HelmToolsConfig
    component_provider_override = "kagent_runtime.components.HelmTools"

    def __init__(self, config: HelmToolsConfig) -> None:
        super().__init__(config.tools)
        self._config = config

    async def _perform(self, tool: HelmTool, arguments: dict[str, Any], credentials: Credentials) -> str:
        try:
            text = await (self._change if tool.operation in helm_changes.CHANGES else self._read)(tool, arguments)
        except ClusterError as error:
            raise ToolFailureError(str(error)) from None
        return texts.head(texts.printable(text), tool.max_bytes)

    async def _read(self, tool: HelmTool, arguments: dict[str, Any]) -> str:
        def read() -> str:
            return helm_operations.run(tool.operation, tool.namespaces, arguments, tool.timeout_seconds)

        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(_threads, context.run, read)

    async def _change(self, tool: HelmTool, arguments: dict[str, Any]) -> str:
        plan, approved = await helm_changes.plan(tool, arguments), APPROVED_PREVIEW.get()
        if approved is not None and (now := _shown(plan)) != approved:
            raise ToolFailureError(
                f"not done: the cluster has changed since this was approved. It would now be:\n{now}"
            )
        return await plan.commit()

    async def preview(
        self, name: str, arguments: Mapping[str, Any], token: CancellationToken | None
    ) -> tuple[str | None, bool]:
        """What a call would change, for a person to approve, or why it cannot be; and whether that is an error."""
        tool = self._tools.get(name)
        if tool is None or tool.operation not in helm_changes.CHANGES:
            return None, False
        try:
            given = checked(tool.name, tool.parameters, arguments)
            task = asyncio.ensure_future(helm_changes.plan(tool, given))
            if token is not None:
                token.link_future(task)
            return _shown(await asyncio.wait_for(task, tool.timeout_seconds)), False
        except asyncio.CancelledError:
            return "cancelled", True
        except TimeoutError:
            return f"no complete answer within {tool.timeout_seconds:g} s", True
        except (ToolFailureError, ClusterError) as error:
            return str(error), True
        except Exception as error:
            return f"the tool failed: {type(error).__name__}", True

    def _to_config(self) -> HelmToolsConfig:
        return self._config

    @classmethod
    def _from_config(cls, config: HelmToolsConfig) -> Self:
        return cls(config)


def _shown(plan: helm_changes.Plan) -> str:
    return bounded(texts.printable(plan.preview))
