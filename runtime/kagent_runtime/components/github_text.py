"""What GitHub answers, in few words: the fields a reader needs, with the texts of people cut where they are long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kagent_runtime.components.texts import one_line, table

JSON = Mapping[str, Any]
MAX_TEXT = 6000
MAX_COMMENT = 2000
MAX_PATCH = 3000


def login(item: JSON) -> str:
    """The name of whoever wrote it."""
    return str((item.get("user") or {}).get("login", "?"))


def listed(header: Sequence[str], rows: Iterable[Sequence[str]], what: str) -> str:
    """A table, or that there is nothing."""
    found = [list(row) for row in rows]
    return table([list(header), *found]) if found else f"There are no {what}."


def issue_row(item: JSON) -> list[str]:
    """One issue or pull request in a list."""
    labels = ",".join(str(label.get("name", "")) for label in item.get("labels") or () if isinstance(label, dict))
    updated = str(item.get("updated_at", ""))[:10]
    return [f"#{item.get('number')}", str(item.get("state")), updated, login(item), one_line(labels, 60), title(item)]


def title(item: JSON) -> str:
    """Its title in one line."""
    return one_line(str(item.get("title") or item.get("display_title") or ""), 120)


def long_text(text: Any, limit: int = MAX_TEXT) -> str:
    """What somebody wrote, cut with a note."""
    full = str(text or "").strip() or "(no text)"
    return full if len(full) <= limit else f"{full[:limit]}\n[… {len(full) - limit:,} more characters …]"


def issue(item: JSON, comments: Sequence[JSON]) -> str:
    """An issue with its comments."""
    head = f"#{item.get('number')} {title(item)}\n{item.get('state')} | {login(item)} | opened {item.get('created_at')}"
    parts = [head, long_text(item.get("body"))]
    parts += [_comment(comment) for comment in comments]
    more = int(item.get("comments") or 0) - len(comments)
    return "\n\n".join([*parts, *([f"[… {more} more comments …]"] if more > 0 else [])])


def _comment(item: JSON) -> str:
    return f"--- {login(item)}, {item.get('created_at')}\n{long_text(item.get('body'), MAX_COMMENT)}"


def pull_request(item: JSON, files: Sequence[JSON]) -> str:
    """A pull request with its changes."""
    branches = f"{(item.get('head') or {}).get('label')} -> {(item.get('base') or {}).get('ref')}"
    state = "merged" if item.get("merged") else f"{item.get('state')}{', draft' if item.get('draft') else ''}"
    size = f"+{item.get('additions')} -{item.get('deletions')} in {item.get('changed_files')} files"
    head = f"#{item.get('number')} {title(item)}\n{state} | {login(item)} | {branches} | {size}"
    parts = [head, long_text(item.get("body")), *(_file(changed) for changed in files)]
    more = int(item.get("changed_files") or 0) - len(files)
    return "\n\n".join([*parts, *([f"[… {more} more files …]"] if more > 0 else [])])


def _file(item: JSON) -> str:
    head = f"{item.get('status')} {item.get('filename')} +{item.get('additions')} -{item.get('deletions')}"
    return f"{head}\n{long_text(item.get('patch'), MAX_PATCH)}" if item.get("patch") else head


def folder(items: Sequence[JSON]) -> str:
    """The entries of a folder."""
    rows = [[str(item.get("type")), str(item.get("size", "")), str(item.get("path"))] for item in items]
    return listed(("TYPE", "BYTES", "PATH"), rows, "files")


def code(items: Sequence[JSON]) -> str:
    """Where a search found something."""
    rows = [[str((item.get("repository") or {}).get("full_name")), str(item.get("path"))] for item in items]
    return listed(("REPOSITORY", "PATH"), rows, "matches")


def runs(items: Sequence[JSON]) -> str:
    """Workflow runs."""
    rows = [
        [
            str(item.get("id")),
            str(item.get("conclusion") or item.get("status")),
            str(item.get("created_at", "")),
            str(item.get("name")),
            str(item.get("head_branch")),
            title(item),
        ]
        for item in items
    ]
    return listed(("RUN", "RESULT", "CREATED", "WORKFLOW", "BRANCH", "TITLE"), rows, "runs")


def jobs(items: Sequence[JSON]) -> str:
    """The jobs of a run, with the steps that failed."""
    rows = []
    for item in items:
        failed = [str(s.get("name")) for s in item.get("steps") or () if s.get("conclusion") == "failure"]
        rows.append([str(item.get("conclusion") or item.get("status")), str(item.get("name")), ", ".join(failed)])
    return listed(("RESULT", "JOB", "FAILED STEPS"), rows, "jobs")
