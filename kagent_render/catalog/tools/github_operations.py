"""The github operations: their arguments, what of the spec narrows them, and which permissions a token needs.

Permissions are GitHub's own names of those of fine-grained tokens and of Apps (docs.github.com: permissions required
for fine-grained personal access tokens). Every token has `Metadata: read`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kagent_render.catalog.tools.operations import Operation, flag, items, number, text

MAX_FILES = 20
APPROVE = "APPROVE"


@dataclass(frozen=True, slots=True)
class Entry:
    """An operation; `narrowed_by` are the fields of the block that have an effect on it."""

    summary: str
    operation: Operation
    permissions: tuple[str, ...]
    is_changing: bool = False
    narrowed_by: tuple[str, ...] = ()


_REPO = text("Repository, as owner/name")
_SEARCHED = text("Repository to search, as owner/name; default: all it may read")
_LIMIT = number("How many at most; default 30, at most 100")
_STATE = text("Which ones; default open", "open", "closed", "all")
_BODY = text("The text, in Markdown")
_FILE = {
    "path": text("Path in the repository, such as docs/install.md"),
    "content": text("The whole new content, not a part of it"),
    "delete": flag("true deletes the file; then it has no content"),
}
_READING: dict[str, Entry] = {
    "read_file": Entry(
        "Read a file, or list a folder.",
        Operation(
            {
                "repository": _REPO,
                "path": text("Path of a file, or of a folder to list; default: the root"),
                "ref": text("Branch, tag or commit; default: the default branch"),
            }
        ),
        ("Contents: read",),
    ),
    "search_code": Entry(
        "Search the files of the default branches.",
        Operation({"query": text("What to find in files"), "repository": _SEARCHED, "limit": _LIMIT}, ("query",)),
        ("Contents: read",),
    ),
    "search_issues": Entry(
        "Search issues or pull requests.",
        Operation(
            {
                "query": text("What to find in titles, bodies and comments"),
                "repository": _SEARCHED,
                "kind": text("What to search; default issue", "issue", "pull_request"),
                "state": _STATE,
                "limit": _LIMIT,
            },
            ("query",),
        ),
        ("Issues: read", "Pull requests: read"),
    ),
    "get_issue": Entry(
        "Show an issue with its comments.",
        Operation({"repository": _REPO, "number": number("Number of the issue")}, ("number",)),
        ("Issues: read",),
    ),
    "list_issues": Entry(
        "List issues.",
        Operation(
            {
                "repository": _REPO,
                "state": _STATE,
                "labels": text("Only issues with all of these labels, separated by commas"),
                "limit": _LIMIT,
            }
        ),
        ("Issues: read",),
    ),
    "list_pull_requests": Entry(
        "List pull requests.",
        Operation({"repository": _REPO, "state": _STATE, "base": text("Only into this branch"), "limit": _LIMIT}),
        ("Pull requests: read",),
    ),
    "get_pull_request": Entry(
        "Show a pull request with its changes.",
        Operation({"repository": _REPO, "number": number("Number of the pull request")}, ("number",)),
        ("Pull requests: read",),
    ),
    "list_runs": Entry(
        "List workflow runs.",
        Operation(
            {
                "repository": _REPO,
                "branch": text("Only runs of this branch"),
                "status": text("Only runs in this state", "success", "failure", "cancelled", "in_progress", "queued"),
                "limit": _LIMIT,
            }
        ),
        ("Actions: read",),
    ),
    "get_run_logs": Entry(
        "Show the end of the logs of a workflow run.",
        Operation(
            {
                "repository": _REPO,
                "run": number("Id of the workflow run"),
                "job": text("Only the job of this name; default: those that failed"),
            },
            ("run",),
        ),
        ("Actions: read",),
    ),
}
_CHANGING: dict[str, Entry] = {
    "create_issue": Entry(
        "Open an issue.",
        Operation(
            {
                "repository": _REPO,
                "title": text("Title, in one line"),
                "body": _BODY,
                "labels": text("Labels that the repository has, separated by commas"),
            },
            ("title",),
        ),
        ("Issues: write",),
        is_changing=True,
    ),
    "add_comment": Entry(
        "Comment on an issue or a pull request.",
        Operation(
            {"repository": _REPO, "number": number("Number of the issue or pull request"), "body": _BODY},
            ("number", "body"),
        ),
        ("Issues: write", "Pull requests: write"),
        is_changing=True,
    ),
    "create_branch": Entry(
        "Create a branch.",
        Operation(
            {
                "repository": _REPO,
                "branch": text("Name of the new branch"),
                "from": text("Branch, tag, or commit of the default branch to start at; default: the default branch"),
            },
            ("branch",),
        ),
        ("Contents: write",),
        is_changing=True,
        narrowed_by=("branches",),
    ),
    "commit_files": Entry(
        "Commit one or several files to a branch, all in one commit.",
        Operation(
            {
                "repository": _REPO,
                "branch": text("Branch to commit to; it must exist"),
                "message": text("Commit message: a line of at most 72 characters, then, after an empty one, why"),
                "files": items("The files to write or delete", _FILE, ("path",), at_most=MAX_FILES),
            },
            ("branch", "message", "files"),
        ),
        ("Contents: write",),
        is_changing=True,
        narrowed_by=("branches", "paths"),
    ),
    "create_pull_request": Entry(
        "Open a pull request.",
        Operation(
            {
                "repository": _REPO,
                "title": text("Title, in one line"),
                "head": text("Branch of this repository that has the commits"),
                "base": text("Branch to merge into; default: the default branch"),
                "body": _BODY,
                "draft": flag("Whether it is a draft; default false"),
            },
            ("title", "head"),
        ),
        ("Contents: read", "Pull requests: write"),
        is_changing=True,
        narrowed_by=("branches",),
    ),
    "review_pull_request": Entry(
        "Review a pull request.",
        Operation(
            {
                "repository": _REPO,
                "number": number("Number of the pull request"),
                "event": text("What the review says", "COMMENT", "REQUEST_CHANGES", APPROVE),
                "body": _BODY,
            },
            ("number", "event", "body"),
        ),
        ("Pull requests: write",),
        is_changing=True,
        narrowed_by=("may_approve",),
    ),
}
# The runtime implements exactly these; tests/contract holds both sides together.
ENTRIES: dict[str, Entry] = _READING | _CHANGING


def operation_for(name: str, *, may_approve: bool) -> Operation:
    """The operation as the spec allows it: a review may approve only where that is said."""
    operation = ENTRIES[name].operation
    if "event" not in operation.parameters or may_approve:
        return operation
    event: dict[str, Any] = operation.parameters["event"]
    kept = [choice for choice in event["enum"] if choice != APPROVE]
    return Operation(operation.parameters | {"event": event | {"enum": kept}}, operation.required)
