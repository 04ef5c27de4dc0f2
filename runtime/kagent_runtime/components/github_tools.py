"""The workbench that offers github tools to an agent."""

from typing import Any, Self

from autogen_core import Component

from kagent_runtime.components import github_changes, github_operations, texts
from kagent_runtime.components.credentials import Credentials
from kagent_runtime.components.github_api import GithubApi
from kagent_runtime.components.remote_workbench import RemoteWorkbench
from kagent_runtime.model import GithubTool, GithubToolsConfig


class GithubTools(RemoteWorkbench[GithubTool], Component[GithubToolsConfig]):
    """Reads and changes of the repositories that are listed."""

    component_type = "workbench"
    component_config_schema = GithubToolsConfig
    component_provider_override = "kagent_runtime.components.GithubTools"
    subject = "the repository"
    max_preview = 4 * texts.MAX_PREVIEW  # the longest argument is a text of 32,768 characters, and is shown whole

    def __init__(self, config: GithubToolsConfig) -> None:
        super().__init__(config.tools)
        self._config = config

    async def _perform(self, tool: GithubTool, arguments: dict[str, Any], credentials: Credentials) -> str:
        api = GithubApi(tool, credentials)
        if self._is_change(tool):
            plan = await github_changes.plan(tool, arguments, api)
            self._confirm(plan.preview, credentials)
            text = await plan.commit()
        else:
            text = await github_operations.run(tool, arguments, api)
        return texts.head(credentials.redact(texts.printable(text)), tool.max_bytes)

    def _is_change(self, tool: GithubTool) -> bool:
        return tool.operation in github_changes.CHANGES

    async def _preview(self, tool: GithubTool, arguments: dict[str, Any], credentials: Credentials) -> str:
        return (await github_changes.plan(tool, arguments, GithubApi(tool, credentials))).preview

    def _to_config(self) -> GithubToolsConfig:
        return self._config

    @classmethod
    def _from_config(cls, config: GithubToolsConfig) -> Self:
        return cls(config)
