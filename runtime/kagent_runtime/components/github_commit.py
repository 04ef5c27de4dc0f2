"""One commit with several files, as the Git Data API makes it: blobs, a tree, a commit, and then the branch is moved.

Until the last request nothing has changed, and that one only moves the branch forward from the commit that a person
saw (docs.github.com/rest/git).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import unified_diff
from hashlib import sha1
from typing import Any

from kagent_runtime.components import texts
from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.components.github_api import GithubApi, GithubError
from kagent_runtime.components.github_narrowing import granted_path, quoted
from kagent_runtime.model import GithubTool

MAX_SHOWN_BYTES = 1 << 20
MAX_DIFF = 8_192
_FILE, _EXECUTABLE = "100644", "100755"
JSON = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Edit:
    """One file: what it is to hold (None: it is deleted), and what it is now (an empty `now` SHA: it is new)."""

    path: str
    content: str | None
    mode: str = _FILE
    now: str = ""
    before: str | None = ""
    """The text of now; None for one that cannot be shown."""

    @property
    def then(self) -> str:
        """The SHA that Git gives to the new content."""
        raw = (self.content or "").encode()
        return sha1(b"blob %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest()

    @property
    def is_change(self) -> bool:
        """Whether the file would be another one."""
        return self.content is None or self.then != self.now

    def entry(self) -> dict[str, Any]:
        """As a tree has it."""
        sha = None if self.content is None else self.then
        return {"path": self.path, "mode": self.mode, "type": "blob", "sha": sha}

    def shown(self) -> str:
        """What it does, and the difference in lines."""
        if not self.is_change:
            return f"unchanged {self.path}: it is so already"
        if self.content is None:
            return f"delete {self.path}\n{self._difference()}"
        verb = "change" if self.now else "create"
        size = f"{len(self.content.encode()):,} bytes, blob {self.then}"
        return f"{verb} {self.path} ({size})\n{self._difference()}"

    def _difference(self) -> str:
        if self.before is None:
            return "(what it holds now is not text, or is too long to be shown)"
        old, new = _lines(self.before), _lines(self.content or "")
        names = f"a/{self.path}" if self.now else "/dev/null", "/dev/null" if self.content is None else f"b/{self.path}"
        return texts.bounded("\n".join(unified_diff(old, new, *names, n=3, lineterm="")), MAX_DIFF)


def _lines(text: str) -> list[str]:
    """Lines as Git counts them; that the last one does not end is told."""
    *lines, last = text.split("\n")
    return [*lines, f"{last}\n\\ No newline at end of file"] if last else lines


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit that would be made on a branch, on top of its head of now."""

    repository: str
    branch: str
    message: str
    head: str
    tree: str
    title: str
    edits: tuple[Edit, ...]

    @property
    def preview(self) -> str:
        """Where it goes, on top of what, its message and each file."""
        return "\n\n".join(
            [
                f"commit to branch {self.branch} of {self.repository}\nparent: {self.head} ({self.title})",
                f"message:\n{self.message}",
                *(edit.shown() for edit in self.edits),
            ]
        )

    async def make(self, api: GithubApi) -> str:
        """Make it. Raises ToolFailureError; a GithubError with 409 or 422 if the branch does not take it."""
        git = f"repos/{self.repository}/git"
        edits = [edit for edit in self.edits if edit.is_change]
        for edit in edits:
            if edit.content is not None:
                stored = await api.store(f"{git}/blobs", {"content": edit.content, "encoding": "utf-8"})
                if stored != edit.then:
                    raise ToolFailureError(f"GitHub has stored another text for {edit.path}; nothing was changed")
        tree = await api.store(f"{git}/trees", {"base_tree": self.tree, "tree": [edit.entry() for edit in edits]})
        commit = {"message": self.message, "tree": tree, "parents": [self.head]}
        sha = await api.store(f"{git}/commits", commit)
        await api.change("PATCH", f"{git}/refs/heads/{quoted(self.branch)}", {"sha": sha, "force": False})
        return sha


async def head_of(api: GithubApi, repository: str, branch: str) -> str:
    """The commit that a branch is at; "" for no such branch. Raises ToolFailureError."""
    found = await api.find(f"repos/{repository}/git/ref/heads/{quoted(branch)}")
    return str(found["object"]["sha"]) if found else ""


async def planned(
    tool: GithubTool, api: GithubApi, repository: str, branch: str, message: str, files: list[dict[str, Any]]
) -> Commit:
    """The commit that these files make. Raises ToolFailureError for one that cannot be, or changes nothing."""
    wanted = _wanted(tool, files)
    head = await head_of(api, repository, branch)
    if not head:
        raise ToolFailureError(f"there is no branch `{branch}` in {repository}; create it first")
    found = await api.get(f"repos/{repository}/git/commits/{head}")
    tree, title = str(found["tree"]["sha"]), texts.one_line(str(found.get("message")).partition("\n")[0], 100)
    trees = _Trees(api, repository, tree)
    edits = tuple([await trees.edit(path, content) for path, content in wanted.items()])
    if not any(edit.is_change for edit in edits):
        raise ToolFailureError("nothing would change: the files are so already")
    return Commit(repository, branch, message, head, tree, title, edits)


def _wanted(tool: GithubTool, files: list[dict[str, Any]]) -> dict[str, str | None]:
    """New content by path; None for a file that is deleted."""
    wanted: dict[str, str | None] = {}
    for file in files:
        path, content = granted_path(tool, file["path"]), file.get("content")
        if bool(file.get("delete")) == (content is not None):
            raise ToolFailureError(f"`{path}` needs either its `content` or `delete: true`")
        if path in wanted:
            raise ToolFailureError(f"`{path}` is given twice")
        wanted[path] = content
    for path in wanted:
        for other in _folders(path):
            if other in wanted:
                raise ToolFailureError(f"`{other}` cannot be both a file and a folder")
    return wanted


def _folders(path: str) -> Iterator[str]:
    parts = path.split("/")
    return ("/".join(parts[:count]) for count in range(1, len(parts)))


@dataclass(slots=True)
class _Trees:
    """The folders of one commit, each read once."""

    api: GithubApi
    repository: str
    root: str
    read: dict[str, dict[str, JSON]] = field(default_factory=dict)

    async def edit(self, path: str, content: str | None) -> Edit:
        """The edit of a file, with what it is now. Raises ToolFailureError."""
        found = await self._entry(path)
        if found is None:
            if content is None:
                raise ToolFailureError(f"`{path}` cannot be deleted: there is no such file on the branch")
            return Edit(path, content)
        mode = str(found.get("mode"))
        if mode not in (_FILE, _EXECUTABLE):
            raise ToolFailureError(f"`{path}` is a folder, a link or a submodule; only files are written")
        now = str(found["sha"])
        return Edit(path, content, mode, now, await self._text(now))

    async def _entry(self, path: str) -> JSON | None:
        sha = self.root
        for folder in _folders(path):
            found = (await self._entries(sha)).get(folder.rpartition("/")[2])
            if found is None:
                return None
            if found.get("type") != "tree":
                raise ToolFailureError(f"`{folder}` is not a folder on the branch")
            sha = str(found["sha"])
        return (await self._entries(sha)).get(path.rpartition("/")[2])

    async def _entries(self, sha: str) -> dict[str, JSON]:
        if sha not in self.read:
            found = await self.api.get(f"repos/{self.repository}/git/trees/{sha}")
            if found.get("truncated"):
                raise ToolFailureError("a folder on the way to a file is too large to be read")
            self.read[sha] = {str(item["path"]): item for item in found["tree"]}
        return self.read[sha]

    async def _text(self, sha: str) -> str | None:
        answer = await self.api.blob(f"repos/{self.repository}/git/blobs/{sha}", MAX_SHOWN_BYTES)
        try:
            return None if answer.was_cut or b"\0" in answer.body else answer.body.decode()
        except UnicodeDecodeError:
            return None


async def make(tool: GithubTool, api: GithubApi, commit: Commit, files: list[dict[str, Any]]) -> str:
    """Make a planned commit, and say where it is. Raises ToolFailureError: with what it would be now, if it moved."""
    try:
        sha = await commit.make(api)
    except GithubError as error:
        if error.status not in (409, 422):
            raise
        head = await head_of(api, commit.repository, commit.branch)
        if head == commit.head:
            hint = "the branch may be protected; commit to another one and open a pull request"
            raise ToolFailureError(f"not done: {error}; {hint}") from None
        now = await planned(tool, api, commit.repository, commit.branch, commit.message, files)
        preview = texts.bounded(texts.visible(now.preview))
        raise ToolFailureError(f"not done: the branch has moved meanwhile. It would now be:\n{preview}") from None
    count = sum(edit.is_change for edit in commit.edits)
    return f"committed {sha} to {commit.branch} of {commit.repository}: {count} file{'s' if count > 1 else ''}"
