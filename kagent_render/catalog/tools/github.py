"""Tool type `github`: read files, issues, pull requests and workflow runs of the repositories that are listed."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from kagent_render.catalog.base import Component, Endpoint, LoweredTool, Problem, component
from kagent_render.catalog.fields import SecretKeyReference, SpecModel, Text
from kagent_render.catalog.tools.base import Builtin, ToolDeclaration
from kagent_render.catalog.tools.operations import Operation, check_narrowing, narrowed_schema, number, text
from kagent_render.catalog.tools.remote import MAX_OUTPUT_BYTES, Needs, check_plaintext
from kagent_render.catalog.tools.urls import check_url, endpoint_of

NAME = "github"
BUILTINS: dict[str, Builtin] = {}
PUBLIC_API = "https://api.github.com"
# Where github.com redirects a request for logs (docs.github.com: self-hosted runners, network access).
LOG_HOSTS = ("*.actions.githubusercontent.com", "*.blob.core.windows.net")
_REPOSITORY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,38})/(?:\*|(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,100})\Z")


class GithubBlock(SpecModel):
    """Which operation, on which repositories."""

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
    ] = Field(description="What the tool reads.")
    url: Text = Field(default=PUBLIC_API, description="The API; GitHub Enterprise Server: https://HOST/api/v3.")
    token_secret_ref: SecretKeyReference | None = Field(
        default=None, description="A token that can read the repositories; without one, public ones only."
    )
    repositories: list[str] = Field(min_length=1, description="Repositories it may read: owner/name, or owner/*.")
    timeout_seconds: float = Field(default=30, gt=0, le=300, description="One call.")
    allow_private_addresses: bool = Field(
        default=False, description="Whether the host may be on a private network, as an Enterprise Server often is."
    )


_REPO = text("Repository, as owner/name")
_SEARCHED = text("Repository to search, as owner/name; default: all it may read")
_LIMIT = number("How many at most; default 30, at most 100")
_STATE = text("Which ones; default open", "open", "closed", "all")

# The runtime implements exactly these; tests/contract holds both sides together.
OPERATIONS: dict[str, Operation] = {
    "read_file": Operation(
        {
            "repository": _REPO,
            "path": text("Path of a file, or of a folder to list; default: the root"),
            "ref": text("Branch, tag or commit; default: the default branch"),
        }
    ),
    "search_code": Operation(
        {"query": text("What to find in files"), "repository": _SEARCHED, "limit": _LIMIT}, ("query",)
    ),
    "search_issues": Operation(
        {
            "query": text("What to find in titles, bodies and comments"),
            "repository": _SEARCHED,
            "kind": text("What to search; default issue", "issue", "pull_request"),
            "state": _STATE,
            "limit": _LIMIT,
        },
        ("query",),
    ),
    "get_issue": Operation({"repository": _REPO, "number": number("Number of the issue")}, ("number",)),
    "list_issues": Operation(
        {
            "repository": _REPO,
            "state": _STATE,
            "labels": text("Only issues with all of these labels, separated by commas"),
            "limit": _LIMIT,
        }
    ),
    "list_pull_requests": Operation(
        {"repository": _REPO, "state": _STATE, "base": text("Only into this branch"), "limit": _LIMIT}
    ),
    "get_pull_request": Operation({"repository": _REPO, "number": number("Number of the pull request")}, ("number",)),
    "list_runs": Operation(
        {
            "repository": _REPO,
            "branch": text("Only runs of this branch"),
            "status": text("Only runs in this state", "success", "failure", "cancelled", "in_progress", "queued"),
            "limit": _LIMIT,
        }
    ),
    "get_run_logs": Operation(
        {
            "repository": _REPO,
            "run": number("Id of the workflow run"),
            "job": text("Only the job of this name; default: those that failed"),
        },
        ("run",),
    ),
}


def check(tool: ToolDeclaration) -> Iterable[Problem]:
    """A server that cannot be called, names that are no repositories, parameters that the operation does not have."""
    block: GithubBlock | None = tool.block
    if block is None:
        help = "add github: {operation: read_file, repositories: [owner/name]}"
        yield Problem("KR102", "the block `github` is missing", (), help)
        return
    url = ("github", "url")
    yield from check_url(block.url, url, is_template=False, allows_private=block.allow_private_addresses)
    yield from check_plaintext(block.url, url, has_credential=block.token_secret_ref is not None)
    yield from _check_repositories(block)
    yield from check_narrowing(tool.parameters, OPERATIONS[block.operation])


def _check_repositories(block: GithubBlock) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, name in enumerate(block.repositories):
        place = ("github", "repositories", index)
        if not _REPOSITORY.match(name):
            yield Problem("KR104", f"`{name}` is not a repository", place, "owner/name, or owner/* for all of an owner")
        elif name.lower() in seen:
            yield Problem("KR104", f"`{name}` is listed twice", place, "remove one")
        seen.add(name.lower())


def lower(tool: ToolDeclaration) -> LoweredTool:
    """The operation as the runtime carries it out, and whom the pod calls with which token."""
    block: GithubBlock = tool.block
    needs = Needs(tool.name)
    token = [needs.bearer(block.token_secret_ref)] if block.token_secret_ref else []
    config: dict[str, Any] = {
        "name": tool.name,
        "operation": block.operation,
        "description": tool.description or "",
        "parameters": _schema(tool, block),
        "url": block.url.rstrip("/"),
        "headers": token,
        "repositories": block.repositories,
        "timeout_seconds": float(block.timeout_seconds),
        "max_bytes": MAX_OUTPUT_BYTES,
        "allow_private_addresses": block.allow_private_addresses,
    }
    return LoweredTool(tool.name, NAME, config, needs=needs.contribution(*_endpoints(block)), effect="reads")


def _schema(tool: ToolDeclaration, block: GithubBlock) -> dict[str, Any]:
    """The arguments; the model is told of the repositories, and has to name one where there are several."""
    schema = narrowed_schema(tool.parameters, OPERATIONS[block.operation])
    known = schema["properties"].get("repository")
    if known is None:
        return schema
    is_only_one = len(block.repositories) == 1 and not block.repositories[0].endswith("/*")
    listed = {"description": f"{known['description']}; it may be {', '.join(block.repositories)}"}
    properties = schema["properties"] | {"repository": known | listed}
    is_free = is_only_one or block.operation.startswith("search_") or "default" in known
    required = schema["required"] if is_free else sorted({"repository", *schema["required"]})
    return schema | {"properties": properties, "required": required}


def _endpoints(block: GithubBlock) -> Iterator[Endpoint]:
    yield endpoint_of(block.url, is_private=block.allow_private_addresses)
    if block.operation == "get_run_logs" and urlsplit(block.url).hostname == urlsplit(PUBLIC_API).hostname:
        for host in LOG_HOSTS:
            yield Endpoint(host, 443, "https")


def workbench(tools: list[LoweredTool]) -> Component:
    """One workbench for all github tools of an agent."""
    config = {"tools": [tool.config for tool in tools]}
    return component("kagent_runtime.components.GithubTools", "workbench", config)
