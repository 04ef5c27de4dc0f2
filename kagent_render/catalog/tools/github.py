"""Tool type `github`: read and change files, issues and pull requests of the repositories that are listed.

What a token may do is narrowed by the spec: to repositories, branches and files. The default branch and workflows are
written to only where they are named, because a wildcard grants neither. Whoever can push a branch can have the
repository's own workflows run on it.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from kagent_render.catalog.base import Component, Endpoint, LoweredTool, Problem, component
from kagent_render.catalog.fields import SecretKeyReference, SpecModel, Text
from kagent_render.catalog.tools.base import Builtin, ToolDeclaration
from kagent_render.catalog.tools.github_narrowing import WORKFLOWS, check_globs
from kagent_render.catalog.tools.github_operations import ENTRIES, operation_for
from kagent_render.catalog.tools.operations import Operation, check_narrowing, narrowed_schema
from kagent_render.catalog.tools.remote import MAX_OUTPUT_BYTES, Needs, check_plaintext
from kagent_render.catalog.tools.urls import check_url, endpoint_of

NAME = "github"
BUILTINS: dict[str, Builtin] = {}
PUBLIC_API = "https://api.github.com"
# Where github.com redirects a request for logs (docs.github.com: self-hosted runners, network access).
LOG_HOSTS = ("*.actions.githubusercontent.com", "*.blob.core.windows.net")
OPERATIONS: dict[str, Operation] = {name: entry.operation for name, entry in ENTRIES.items()}
# The fields of the block that are for some operations only.
_NARROWING = {"branches": "branches", "paths": "paths", "may_approve": "mayApprove"}
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
        "create_issue",
        "add_comment",
        "create_branch",
        "commit_files",
        "create_pull_request",
        "review_pull_request",
    ] = Field(description="What the tool does; `create_issue` and those after it change something.")
    url: Text = Field(default=PUBLIC_API, description="The API; GitHub Enterprise Server: https://HOST/api/v3.")
    token_secret_ref: SecretKeyReference | None = Field(
        default=None, description="A token with the permissions of the operation; without one, public ones are read."
    )
    repositories: list[str] = Field(min_length=1, description="Repositories it is for: owner/name, or owner/*.")
    branches: list[Text] | None = Field(
        default=None,
        min_length=1,
        description="Branches it may create, commit to and open pull requests from, as globs such as agent/*; default: "
        "any. The default branch only where it is named without a wildcard.",
    )
    paths: list[Text] | None = Field(
        default=None,
        min_length=1,
        description="Files it may write or delete, as globs such as docs/**; default: any. Workflows only by a glob "
        "that starts with .github/workflows/.",
    )
    may_approve: bool = Field(default=False, description="Whether its reviews may approve a pull request.")
    timeout_seconds: float = Field(default=30, gt=0, le=300, description="One call.")
    allow_private_addresses: bool = Field(
        default=False, description="Whether the host may be on a private network, as an Enterprise Server often is."
    )


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
    yield from _check_writing(block)
    yield from check_narrowing(tool.parameters, _operation(block))


def _check_repositories(block: GithubBlock) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, name in enumerate(block.repositories):
        place = ("github", "repositories", index)
        if not _REPOSITORY.match(name):
            yield Problem("KR104", f"`{name}` is not a repository", place, "owner/name, or owner/* for all of an owner")
        elif name.lower() in seen:
            yield Problem("KR104", f"`{name}` is listed twice", place, "remove one")
        seen.add(name.lower())


def _check_writing(block: GithubBlock) -> Iterator[Problem]:
    if ENTRIES[block.operation].is_changing and block.token_secret_ref is None:
        help = "add `tokenSecretRef: {name: …, key: …}`"
        yield Problem("KR102", f"`{block.operation}` needs a token", ("github",), help)
    for field, name in _NARROWING.items():
        if getattr(block, field) and field not in ENTRIES[block.operation].narrowed_by:
            fitting = [operation for operation, entry in ENTRIES.items() if field in entry.narrowed_by]
            help = f"remove it; it is for {', '.join(fitting)}"
            yield Problem("KR361", f"`{name}` has no effect on `{block.operation}`", ("github", name), help)
    yield from check_globs(block.branches, "branches")
    yield from check_globs(block.paths, "paths")


def _operation(block: GithubBlock) -> Operation:
    return operation_for(block.operation, may_approve=block.may_approve)


def lower(tool: ToolDeclaration) -> LoweredTool:
    """The operation as the runtime carries it out, and whom the pod calls with which token."""
    block: GithubBlock = tool.block
    needs, entry = Needs(tool.name), ENTRIES[block.operation]
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
    config |= {field: getattr(block, field) or [] for field in ("branches", "paths") if field in entry.narrowed_by}
    if block.may_approve:
        config["may_approve"] = True
    return LoweredTool(
        tool.name,
        NAME,
        config,
        needs=needs.contribution(*_endpoints(block)),
        effect="changes" if entry.is_changing else "reads",
        is_approved_by_default=not entry.is_changing,
        token_permissions=_permissions(block),
    )


def _permissions(block: GithubBlock) -> tuple[str, ...]:
    """What the token has to be allowed. GitHub asks for one of its own for commits that touch workflows."""
    is_for_workflows = any(glob.startswith(WORKFLOWS) for glob in block.paths or ())
    return (*ENTRIES[block.operation].permissions, *(["Workflows: write"] if is_for_workflows else []))


def _schema(tool: ToolDeclaration, block: GithubBlock) -> dict[str, Any]:
    """The arguments; the model is told of the repositories, and has to name one where there are several."""
    schema = narrowed_schema(tool.parameters, _operation(block))
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
