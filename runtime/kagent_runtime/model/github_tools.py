"""The workbench of github tools."""

from typing import Annotated, Literal

from pydantic import Field

from kagent_runtime.model.remote import RemoteTool
from kagent_runtime.model.strict import Component, Strict

RepositoryPattern = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+/(\*|[A-Za-z0-9._-]+)$")]
Glob = Annotated[str, Field(pattern=r"^[^\s\[\]{}\\~^:/][^\s\[\]{}\\~^:]{0,199}$")]
# Of these a call may be made again after a crash: they change nothing.
ReadingGithubOperation = Literal[
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
ChangingGithubOperation = Literal[
    "create_issue", "add_comment", "create_branch", "commit_files", "create_pull_request", "review_pull_request"
]


class GithubTool(RemoteTool):
    """One operation, on the repositories that are listed: owner/name, or owner/*.

    `branches` and `paths` are globs of what it may write; none: any but the default branch, and but workflows.
    """

    operation: ReadingGithubOperation | ChangingGithubOperation
    repositories: list[RepositoryPattern] = Field(min_length=1)
    branches: list[Glob] = Field(default_factory=list)
    paths: list[Glob] = Field(default_factory=list)
    may_approve: bool = False


class GithubToolsConfig(Strict):
    """Config of the workbench."""

    tools: list[GithubTool] = Field(min_length=1)


class GithubToolsComponent(Component):
    """The github tools of an agent."""

    provider: Literal["kagent_runtime.components.GithubTools"]
    component_type: Literal["workbench"]
    config: GithubToolsConfig
