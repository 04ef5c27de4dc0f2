"""What a github tool may write: branches and files from a model, held to the globs of the spec.

What is dangerous is never granted by a wildcard: the default branch, and workflows, which run with the repository's
secrets, have to be named.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any
from urllib.parse import quote

from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.components.texts import visible
from kagent_runtime.model import GithubTool

WORKFLOWS = ".github/workflows/"
_WILD = re.compile(r"(\*\*/|\*\*|\*|\?)")
_WILD_PATTERNS = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
# git-check-ref-format(1). A name that starts with `refs/` would be another branch than it seems.
_REF = re.compile(r"(?!-|refs/)[^\x00-\x20\x7f~^:?*\[\]\\]{1,200}\Z")
_NO_REF = re.compile(r"\.\.|//|/\.|@\{|\.lock(/|\Z)|[/.]\Z|\A[/.]|\A@\Z")


def ref(text: Any, argument: str) -> str:
    """The name of a branch, tag or commit. Raises ToolFailureError."""
    name = str(text)
    if not _REF.match(name) or _NO_REF.search(name) or visible(name) != name:
        raise ToolFailureError(f"`{argument}`: `{visible(name)[:100]}` is not the name of a branch")
    return name


def quoted(name: str) -> str:
    """A name or path with its slashes, in the path of a URL."""
    return "/".join(quote(part, safe="") for part in name.split("/"))


def granted_branch(tool: GithubTool, text: Any, argument: str) -> str:
    """A branch that the globs allow. Raises ToolFailureError."""
    name = ref(text, argument)
    if tool.branches and not _matches(tool.branches, name):
        raise ToolFailureError(f"`{name}` is not granted; {tool.name} may write to branches {', '.join(tool.branches)}")
    return name


def not_the_default(tool: GithubTool, name: str, default: str) -> None:
    """The default branch is granted by its name only. Raises ToolFailureError."""
    if name == default and name not in tool.branches:
        hint = "write to another branch and open a pull request"
        raise ToolFailureError(f"`{name}` is the default branch, which {tool.name} may not write to; {hint}")


def granted_path(tool: GithubTool, text: Any) -> str:
    """A file that may be written. Raises ToolFailureError."""
    path = str(text)
    parts = path.split("/")
    is_odd = any(part in ("", ".", "..") or part.lower() in (".git", "git~1") for part in parts)
    if is_odd or "\\" in path or len(path) > 1000 or visible(path) != path or any(ord(char) < 32 for char in path):
        raise ToolFailureError(f"`{visible(path)[:200]}` is not the path of a file in a repository, such as docs/a.md")
    if not _is_granted(tool.paths, path):
        raise ToolFailureError(f"`{path}` is not granted; {tool.name} may write {paths_in_words(tool.paths)}")
    return path


def _is_granted(globs: Sequence[str], path: str) -> bool:
    if path.lower().startswith(WORKFLOWS):
        return _matches([glob for glob in globs if glob.startswith(WORKFLOWS)], path)
    return not globs or _matches(globs, path)


def paths_in_words(globs: Sequence[str]) -> str:
    """What may be written."""
    return ", ".join(globs) or f"any file but {WORKFLOWS}**, which run with the repository's secrets"


def _matches(globs: Sequence[str], text: str) -> bool:
    return any(_pattern(glob).match(text) for glob in globs)


@cache
def _pattern(glob: str) -> re.Pattern[str]:
    """`*` and `?` stay within a part of a path; `**` is any number of parts."""
    parts = (_WILD_PATTERNS.get(part) or re.escape(part) for part in _WILD.split(glob))
    return re.compile("".join(parts) + r"\Z")
