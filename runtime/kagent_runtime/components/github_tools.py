"""The workbench that offers github tools to an agent."""

from typing import Any, Self

from autogen_core import Component

from kagent_runtime.components import github_operations, texts
from kagent_runtime.components.credentials import Credentials
from kagent_runtime.components.github_api import GithubApi
from kagent_runtime.components.remote_workbench import RemoteWorkbench
from kagent_runtime.model import GithubTool, GithubToolsConfig


class GithubTools(RemoteWorkbench[GithubTool], Component[GithubToolsConfig]):
    """Reads of the repositories that are listed."""

    component_type = "workbench"
    component_config_schema = GithubToolsConfig
    component_provider_override = "kagent_runtime.components.GithubTools"

    def __init__(self, config: GithubToolsConfig) -> None:
        super().__init__(config.tools)
        self._config = config

    async def _perform(self, tool: GithubTool, arguments: dict[str, Any], credentials: Credentials) -> str:
        text = await github_operations.run(tool, arguments, GithubApi(tool, credentials))
        return texts.head(credentials.redact(texts.printable(text)), tool.max_bytes)

    def _to_config(self) -> GithubToolsConfig:
        return self._config

    @classmethod
    def _from_config(cls, config: GithubToolsConfig) -> Self:
        return cls(config)
