"""The github operations that change something: each makes a plan, which is what a person approves, and is then done."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from kagent_runtime.components import github_commit, github_text, texts
from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.components.github_api import GithubApi
from kagent_runtime.components.github_narrowing import granted_branch, not_the_default, quoted, ref
from kagent_runtime.components.github_repositories import number, repository
from kagent_runtime.model import GithubTool

MAX_COMMITS = 30
MAX_LABELS = 10
_SHA = re.compile(r"[0-9a-f]{40}\Z")
Arguments = Mapping[str, Any]
JSON = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be changed, in words, and how it is done."""

    preview: str
    commit: Callable[[], Awaitable[str]]


async def plan(tool: GithubTool, arguments: Arguments, api: GithubApi) -> Plan:
    """The plan of a call. Raises ToolFailureError for one that would fail."""
    return await CHANGES[tool.operation](tool, arguments, api)


async def _create_issue(tool: GithubTool, arguments: Arguments, api: GithubApi) -> Plan:
    name = repository(tool, arguments)
    if not (await api.get(f"repos/{name}")).get("has_issues", True):
        raise ToolFailureError(f"{name} has no issues: they are turned off")
    labels = await _labels(arguments, name, api)
    body = {"title": _title(arguments), "body": str(arguments.get("body") or "")}
    head = f"open an issue in {name}" + (f"\nlabels: {', '.join(labels)}" if labels else "")

    async def commit() -> str:
        made = await api.change("POST", f"repos/{name}/issues", body | ({"labels": labels} if labels else {}))
        missing = set(labels) - {str(label.get("name")) for label in made.get("labels") or ()}
        note = f"; without its labels {', '.join(sorted(missing))}, which the token may not set" if missing else ""
        return f"opened issue #{made.get('number')} of {name}: {made.get('html_url')}{note}"

    return Plan(_with_text(head, body["title"], body["body"]), commit)


async def _labels(arguments: Arguments, name: str, api: GithubApi) -> list[str]:
    """The labels of a new issue: GitHub makes one that is not there, which a slip of the pen should not."""
    given = str(arguments.get("labels") or "").split(",")
    labels = list(dict.fromkeys(label.strip() for label in given if label.strip()))
    if len(labels) > MAX_LABELS:
        raise ToolFailureError(f"`labels` are at most {MAX_LABELS}")
    unknown = [label for label in labels if await api.find(f"repos/{name}/labels/{quote(label, safe='')}") is None]
    if unknown:
        raise ToolFailureError(f"{name} has no label {', '.join(f'`{label}`' for label in unknown)}")
    return labels


async def _add_comment(tool: GithubTool, arguments: Arguments, api: GithubApi) -> Plan:
    name, found = repository(tool, arguments), number(arguments, "number")
    path, body = f"repos/{name}/issues/{found}", str(arguments["body"])
    item = await api.get(path)
    kind = "pull request" if "pull_request" in item else "issue"
    head = f"comment on {kind} #{found} of {name} ({item.get('state')}): {github_text.title(item)}"

    async def commit() -> str:
        made = await api.change("POST", f"{path}/comments", {"body": body})
        return f"commented on #{found} of {name}: {made.get('html_url')}"

    return Plan(_with_text(head, "", body), commit)


async def _create_branch(tool: GithubTool, arguments: Arguments, api: GithubApi) -> Plan:
    name, branch = repository(tool, arguments), granted_branch(tool, arguments["branch"], "branch")
    default = str((await api.get(f"repos/{name}")).get("default_branch"))
    not_the_default(tool, branch, default)
    if head := await github_commit.head_of(api, name, branch):
        raise ToolFailureError(f"the branch `{branch}` of {name} is there already, at {head}")
    start = ref(arguments.get("from") or default, "from")
    found = await _start(api, name, start, default)
    sha = str(found["sha"])

    async def commit() -> str:
        await api.change("POST", f"repos/{name}/git/refs", {"ref": f"refs/heads/{branch}", "sha": sha})
        return f"created branch {branch} of {name} at {sha}"

    return Plan(f"create branch {branch} in {name}\nat {start}: {sha} ({_subject(found)})", commit)


async def _start(api: GithubApi, name: str, start: str, default: str) -> JSON:
    """The commit of a branch, of a tag, or one that the default branch contains. Raises ToolFailureError.

    GitHub would take the commits of forks too: a branch with their workflows runs those with the repository's secrets.
    """
    for kind in ("heads", "tags"):
        if await api.find(f"repos/{name}/git/ref/{kind}/{quoted(start)}"):
            found: JSON = await api.get(f"repos/{name}/commits/{quote(f'{kind}/{start}', safe='')}")
            return found
    if _SHA.match(start):
        path = f"repos/{name}/compare/{quote(default, safe='')}...{start}"
        compared = await api.find(path)
        if compared and compared.get("status") in ("behind", "identical"):
            found = await api.get(f"repos/{name}/commits/{start}")
            return found
    raise ToolFailureError(f"`from`: {name} has no branch or tag `{start}`, and `{default}` no such commit")


def _subject(item: JSON) -> str:
    return texts.one_line(str((item.get("commit") or {}).get("message")).partition("\n")[0], 100)


async def _commit_files(tool: GithubTool, arguments: Arguments, api: GithubApi) -> Plan:
    name, branch = repository(tool, arguments), granted_branch(tool, arguments["branch"], "branch")
    if branch not in tool.branches:
        not_the_default(tool, branch, str((await api.get(f"repos/{name}")).get("default_branch")))
    message, files = str(arguments["message"]), arguments["files"]
    planned = await github_commit.planned(tool, api, name, branch, message, files)

    async def commit() -> str:
        return await github_commit.make(tool, api, planned, files)

    return Plan(planned.preview, commit)


async def _create_pull_request(tool: GithubTool, arguments: Arguments, api: GithubApi) -> Plan:
    name, head = repository(tool, arguments), granted_branch(tool, arguments["head"], "head")
    default = str((await api.get(f"repos/{name}")).get("default_branch"))
    not_the_default(tool, head, default)
    base = ref(arguments.get("base") or default, "base")
    owner, is_draft = name.partition("/")[0], bool(arguments.get("draft"))
    pairs = [("state", "open"), ("head", f"{owner}:{head}"), ("base", base)]
    if open_ones := await api.pages(f"repos/{name}/pulls", pairs, 1):
        raise ToolFailureError(f"there is a pull request for this already: #{open_ones[0].get('number')} of {name}")
    body = {"title": _title(arguments), "head": head, "base": base, "body": str(arguments.get("body") or "")}
    lines = [f"open a {'draft ' if is_draft else ''}pull request in {name}", f"from {head} into {base}"]
    lines += await _commits(api, name, base, head)

    async def commit() -> str:
        made = await api.change("POST", f"repos/{name}/pulls", body | {"draft": is_draft})
        return f"opened pull request #{made.get('number')} of {name}: {made.get('html_url')}"

    return Plan(_with_text("\n".join(lines), body["title"], body["body"]), commit)


async def _commits(api: GithubApi, name: str, base: str, head: str) -> list[str]:
    """What would be merged. Raises ToolFailureError if it is nothing."""
    sha = await github_commit.head_of(api, name, head)
    if not sha:
        raise ToolFailureError(f"there is no branch `{head}` in {name}")
    path = f"repos/{name}/compare/{quote(base, safe='')}...{sha}"
    found = await api.get(path, [("per_page", str(MAX_COMMITS)), ("page", "1")])
    count, files = int(found.get("total_commits") or 0), found.get("files") or []
    if not count:
        raise ToolFailureError(f"`{head}` has no commits that `{base}` does not have")
    commits = [f"  {str(item.get('sha'))[:12]} {_subject(item)}" for item in found.get("commits") or ()]
    more = count - len(commits)
    changed = sorted(f"  {item.get('status')} {item.get('filename')}" for item in files)
    return [
        f"at {sha}, commits: {count}",
        *commits,
        *([f"[… {more} more commits …]"] if more > 0 else []),
        f"files: {len(files)}",
        *texts.limited(changed, 100, "files"),
    ]


async def _review_pull_request(tool: GithubTool, arguments: Arguments, api: GithubApi) -> Plan:
    name, found, event = repository(tool, arguments), number(arguments, "number"), str(arguments["event"])
    if event == "APPROVE" and not tool.may_approve:
        raise ToolFailureError(f"{tool.name} may not approve; `event` may be COMMENT or REQUEST_CHANGES")
    path, body = f"repos/{name}/pulls/{found}", str(arguments["body"])
    item = await api.get(path)
    sha, base = str((item.get("head") or {}).get("sha")), (item.get("base") or {}).get("ref")
    head = f"review pull request #{found} of {name} ({item.get('state')}): {github_text.title(item)}"
    head += f"\nby {github_text.login(item)}, {(item.get('head') or {}).get('label')} -> {base}, at {sha}\nas: {event}"

    async def commit() -> str:
        made = await api.change("POST", f"{path}/reviews", {"commit_id": sha, "event": event, "body": body})
        return f"reviewed #{found} of {name} ({made.get('state')}): {made.get('html_url')}"

    return Plan(_with_text(head, "", body), commit)


def _title(arguments: Arguments) -> str:
    title = str(arguments["title"]).strip()
    if not title or "\n" in title or len(title) > 256:
        raise ToolFailureError("`title` must be one line of at most 256 characters")
    return title


def _with_text(head: str, title: str, body: str) -> str:
    """Where something goes, and all that it says."""
    return "\n".join([head, *([f"title: {title}"] if title else []), "text:", body or "(none)"])


CHANGES: dict[str, Callable[[GithubTool, Arguments, GithubApi], Awaitable[Plan]]] = {
    "create_issue": _create_issue,
    "add_comment": _add_comment,
    "create_branch": _create_branch,
    "commit_files": _commit_files,
    "create_pull_request": _create_pull_request,
    "review_pull_request": _review_pull_request,
}
