"""The github operations that only read: which paths of the REST API each asks, and what it shows."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from kagent_runtime.components import github_text, texts
from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.components.github_api import GithubApi, Pairs
from kagent_runtime.components.github_repositories import (
    file_path,
    is_granted,
    limit,
    number,
    repository,
    search_query,
)
from kagent_runtime.model import GithubTool

Arguments = Mapping[str, Any]
MAX_COMMENTS = 30
MAX_FILES = 30
MAX_JOBS = 3
_ISSUES = ("NUMBER", "STATE", "UPDATED", "BY", "LABELS", "TITLE")


async def run(tool: GithubTool, arguments: Arguments, api: GithubApi) -> str:
    """Carry out the tool's operation. Raises ToolFailureError."""
    return await OPERATIONS[tool.operation](tool, arguments, api)


async def _read_file(tool: GithubTool, arguments: Arguments, api: GithubApi) -> str:
    path = file_path(str(arguments.get("path") or ""))
    answer = await api.raw(f"repos/{repository(tool, arguments)}/contents/{path}", _given(arguments, ref="ref"))
    if not answer.headers.get("content-type", "").startswith("application/json"):
        return texts.head(texts.decoded(answer), tool.max_bytes, was_cut=answer.was_cut)
    try:
        entries = json.loads(answer.body)
    except ValueError:
        entries = None
    # A file may be JSON itself; GitHub's content type for a file says `raw`, and a folder is a list of entries.
    if isinstance(entries, list) and all(isinstance(item, dict) and "path" in item for item in entries):
        return github_text.folder(entries)
    return texts.head(texts.decoded(answer), tool.max_bytes, was_cut=answer.was_cut)


async def _search_code(tool: GithubTool, arguments: Arguments, api: GithubApi) -> str:
    items = await api.pages("search/code", [("q", search_query(tool, arguments))], limit(arguments), "items")
    return github_text.code([i for i in items if is_granted(tool, str((i.get("repository") or {}).get("full_name")))])


async def _search_issues(tool: GithubTool, arguments: Arguments, api: GithubApi) -> str:
    kind = "pr" if arguments.get("kind") == "pull_request" else "issue"
    state = arguments.get("state") or "open"
    query = f"{search_query(tool, arguments)} is:{kind}{'' if state == 'all' else f' state:{state}'}"
    items = await api.pages("search/issues", [("q", query)], limit(arguments), "items")
    found = [(name, item) for item in items if is_granted(tool, name := _repository_of(item))]
    rows = [[name, *github_text.issue_row(item)] for name, item in found]
    return github_text.listed(("REPOSITORY", *_ISSUES), rows, "matches")


def _repository_of(item: Mapping[str, Any]) -> str:
    return "/".join(str(item.get("repository_url", "")).split("/")[-2:])


async def _get_issue(tool: GithubTool, arguments: Arguments, api: GithubApi) -> str:
    path = f"repos/{repository(tool, arguments)}/issues/{number(arguments, 'number')}"
    found = await api.get(path)
    comments = await api.pages(f"{path}/comments", [], MAX_COMMENTS) if found.get("comments") else []
    return github_text.issue(found, comments)


async def _list_issues(tool: GithubTool, arguments: Arguments, api: GithubApi) -> str:
    parameters = _given(arguments, state="state", labels="labels")
    items = await api.pages(f"repos/{repository(tool, arguments)}/issues", parameters, limit(arguments))
    # For GitHub every pull request is an issue too.
    rows = [github_text.issue_row(item) for item in items if "pull_request" not in item]
    return github_text.listed(_ISSUES, rows, "issues")


async def _list_pull_requests(tool: GithubTool, arguments: Arguments, api: GithubApi) -> str:
    parameters = _given(arguments, state="state", base="base")
    items = await api.pages(f"repos/{repository(tool, arguments)}/pulls", parameters, limit(arguments))
    return github_text.listed(_ISSUES, [github_text.issue_row(item) for item in items], "pull requests")


async def _get_pull_request(tool: GithubTool, arguments: Arguments, api: GithubApi) -> str:
    path = f"repos/{repository(tool, arguments)}/pulls/{number(arguments, 'number')}"
    found = await api.get(path)
    return github_text.pull_request(found, await api.pages(f"{path}/files", [], MAX_FILES))


async def _list_runs(tool: GithubTool, arguments: Arguments, api: GithubApi) -> str:
    parameters = _given(arguments, branch="branch", status="status")
    path = f"repos/{repository(tool, arguments)}/actions/runs"
    return github_text.runs(await api.pages(path, parameters, limit(arguments), "workflow_runs"))


async def _get_run_logs(tool: GithubTool, arguments: Arguments, api: GithubApi) -> str:
    actions = f"repos/{repository(tool, arguments)}/actions"
    jobs = await api.pages(f"{actions}/runs/{number(arguments, 'run')}/jobs", [], 100, "jobs")
    wanted = arguments.get("job")
    chosen = [job for job in jobs if (job.get("name") == wanted if wanted else job.get("conclusion") == "failure")]
    if wanted and not chosen:
        names = ", ".join(str(job.get("name")) for job in jobs[:30])
        raise ToolFailureError(f"the run has no job `{str(wanted)[:100]}`; it has: {names}")
    shown = chosen[:MAX_JOBS]
    size = tool.max_bytes // max(1, len(shown)) - 1024
    parts = [github_text.jobs(jobs)]
    for job in shown:
        answer = await api.log(f"{actions}/jobs/{int(job['id'])}/logs", max(256, size))
        log = texts.tail(texts.decoded(answer), max(256, size), was_cut=answer.was_cut)
        parts.append(f"--- log of job {job.get('name')}\n{log}")
    more = len(chosen) - len(shown)
    parts += [f"[… {more} more failed jobs; name one …]"] if more > 0 else []
    return "\n\n".join(parts if shown else [*parts, "No job failed; name one to read its log."])


def _given(arguments: Arguments, **names: str) -> Pairs:
    """Query parameters for the arguments that were given."""
    return [(name, str(arguments[argument])) for name, argument in names.items() if arguments.get(argument)]


OPERATIONS: dict[str, Callable[[GithubTool, Arguments, GithubApi], Awaitable[str]]] = {
    "read_file": _read_file,
    "search_code": _search_code,
    "search_issues": _search_issues,
    "get_issue": _get_issue,
    "list_issues": _list_issues,
    "list_pull_requests": _list_pull_requests,
    "get_pull_request": _get_pull_request,
    "list_runs": _list_runs,
    "get_run_logs": _get_run_logs,
}
