"""Which repositories a github tool may read: names and paths from a model, held to the list of the spec."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.model import GithubTool

_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}/[A-Za-z0-9._-]{1,100}\Z")
# Qualifiers that widen a search; GitHub joins several of them with OR.
_SCOPE = re.compile(r"(?<![A-Za-z0-9_])(repo|org|user|enterprise|owner)\s*:", re.IGNORECASE)


def repository(tool: GithubTool, arguments: Mapping[str, Any]) -> str:
    """The repository of a call. Raises ToolFailureError for one that is not granted."""
    wanted = arguments.get("repository")
    if not wanted:
        if len(tool.repositories) == 1 and not tool.repositories[0].endswith("/*"):
            return tool.repositories[0]
        raise ToolFailureError(f"the argument `repository` is required; it may be {', '.join(tool.repositories)}")
    name = str(wanted).strip()
    if not is_granted(tool, name):
        message = f"`{name[:100]}` is not granted; {tool.name} may read {', '.join(tool.repositories)}"
        raise ToolFailureError(message)
    return name


def is_granted(tool: GithubTool, name: str) -> bool:
    """Whether the list has it; GitHub's names have no case."""
    if not _NAME.match(name) or name.endswith(("/.", "/..")):
        return False
    owner = name.lower().partition("/")[0]
    return any(item.lower() in (name.lower(), f"{owner}/*") for item in tool.repositories)


def search_query(tool: GithubTool, arguments: Mapping[str, Any]) -> str:
    """The query with the repositories it is held to. Raises ToolFailureError for one that names others."""
    query = str(arguments["query"]).strip()
    if found := _SCOPE.search(query):
        raise ToolFailureError(f"leave out `{found[1]}:`; give the repository as the argument `repository`")
    if arguments.get("repository"):
        return f"{query} repo:{repository(tool, arguments)}"
    scopes = [f"user:{item[:-2]}" if item.endswith("/*") else f"repo:{item}" for item in tool.repositories]
    return f"{query} {' '.join(scopes)}"


def file_path(text: str) -> str:
    """A path inside a repository, percent-encoded. Raises ToolFailureError."""
    parts = [part for part in text.strip().split("/") if part]
    if any(part in (".", "..") for part in parts) or "\\" in text or any(ord(char) < 32 for char in text):
        raise ToolFailureError(f"`{text[:100]}` is not a path in a repository")
    return "/".join(quote(part, safe="") for part in parts)


def limit(arguments: Mapping[str, Any]) -> int:
    """How many items: thirty, or as many as asked, at most a hundred."""
    return max(1, min(int(arguments.get("limit") or 30), 100))


def number(arguments: Mapping[str, Any], name: str) -> int:
    """A positive number. Raises ToolFailureError."""
    value = int(arguments[name])
    if value < 1:
        raise ToolFailureError(f"`{name}` must be positive")
    return value
