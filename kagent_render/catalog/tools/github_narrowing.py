"""The globs of what a github tool may write: branches and files.

`*` and `?` stay within a part of a path, `**` is any number of parts. The runtime reads them so
(kagent_runtime/components/github_narrowing.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kagent_render.catalog.base import Problem

WORKFLOWS = ".github/workflows/"
_PART = re.compile(r"[^\s\[\]{}\\~^:]+\Z")
_LONGEST = 200


def check_globs(globs: Sequence[str] | None, field: str) -> Iterator[Problem]:
    """Globs that are none, that match nothing, or that are there twice."""
    for index, glob in enumerate(globs or ()):
        place = ("github", field, index)
        if found := _defect(glob, is_path=field == "paths"):
            yield Problem("KR104", f"`{glob}` {found[0]}", place, found[1])
        elif glob in (globs or ())[:index]:
            yield Problem("KR104", f"`{glob}` is listed twice", place, "remove one")


def _defect(glob: str, *, is_path: bool) -> tuple[str, str] | None:
    parts = glob.split("/")
    if glob.startswith("refs/") and not is_path:
        return "is not the name of a branch", "leave out `refs/heads/`"
    if glob.startswith(("!", "-")):
        return "excludes nothing: these globs only include", "list what may be written"
    if "" in parts:
        help = "docs/** for all that is in a folder" if is_path else "agent/* for all branches that start with agent/"
        return "has an empty part", help
    if any(part in (".", "..", ".git") for part in parts):
        return "matches nothing: `.`, `..` and `.git` are never written", "write the path from the root"
    if any("**" in part and part != "**" for part in parts):
        return "has `**` within a part", "`**` stands alone between slashes; `*` is for a part"
    if len(glob) > _LONGEST or not all(_PART.match(part) for part in parts):
        return "is not a glob", "names with `*`, `?` and `**`; no `[…]`, `{…}` or spaces"
    return None
