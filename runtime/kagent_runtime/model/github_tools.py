"""The workbench of github tools."""

from typing import Annotated, Literal

from pydantic import Field

from kagent_runtime.model.remote import RemoteTool
from kagent_runtime.model.strict import Component, Strict

RepositoryPattern = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+/(\*|[A-Za-z0-9._-]+)$")]


class GithubTool(RemoteTool):
    """One operation, on the repositories that are listed: owner/name, or owner/*."""

    operation: Literal[
        "read_file",
        "search_code",
        "search_issues",
        "get_issue",
        "list_issues",
        "list_pull_requests",
        "get_pull_request",
        "list_runs",
        "get_run_logs",
    ]
    repositories: list[RepositoryPattern] = Field(min_length=1)


class GithubToolsConfig(Strict):
    """Config of the workbench."""

    tools: list[GithubTool] = Field(min_length=1)


class GithubToolsComponent(Component):
    """The github tools of an agent."""

    provider: Literal["kagent_runtime.components.GithubTools"]
    component_type: Literal["workbench"]
    config: GithubToolsConfig
