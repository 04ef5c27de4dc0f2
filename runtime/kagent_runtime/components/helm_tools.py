"""The workbench that offers helm tools to an agent.

Releases are read from the Secrets that Helm keeps them in, and changed by the helm program.
"""

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

from autogen_core import Component

from kagent_runtime.components import helm_changes, helm_operations, texts
from kagent_runtime.components.cluster import ClusterError
from kagent_runtime.components.credentials import Credentials
from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.components.remote_workbench import RemoteWorkbench
from kagent_runtime.model.helm_tools import HelmTool, HelmToolsConfig

_threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="helm")


class HelmTools(RemoteWorkbench[HelmTool], Component[HelmToolsConfig]):
    """Releases of Helm, within the namespaces that were granted."""

    component_type = "workbench"
    component_config_schema = HelmToolsConfig
    component_provider_override = "kagent_runtime.components.HelmTools"
    subject = "the cluster"

    def __init__(self, config: HelmToolsConfig) -> None:
        super().__init__(config.tools)
        self._config = config

    async def _perform(self, tool: HelmTool, arguments: dict[str, Any], credentials: Credentials) -> str:
        try:
            if self._is_change(tool):
                plan = await helm_changes.plan(tool, arguments)
                self._confirm(plan.preview, credentials)
                text = await plan.commit()
            else:
                text = await self._read(tool, arguments)
        except ClusterError as error:
            raise ToolFailureError(str(error)) from None
        return texts.head(texts.printable(text), tool.max_bytes)

    async def _read(self, tool: HelmTool, arguments: dict[str, Any]) -> str:
        def read() -> str:
            return helm_operations.run(tool.operation, tool.namespaces, arguments, tool.timeout_seconds)

        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(_threads, context.run, read)

    def _is_change(self, tool: HelmTool) -> bool:
        return tool.operation in helm_changes.CHANGES

    async def _preview(self, tool: HelmTool, arguments: dict[str, Any], credentials: Credentials) -> str:
        try:
            return (await helm_changes.plan(tool, arguments)).preview
        except ClusterError as error:
            raise ToolFailureError(str(error)) from None

    def _to_config(self) -> HelmToolsConfig:
        return self._config

    @classmethod
    def _from_config(cls, config: HelmToolsConfig) -> Self:
        return cls(config)
