"""Git as GitHub's Git Data API shows it: objects by their true SHAs, and refs that only move forward."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha1
from typing import Any

JSON = dict[str, Any]
Entry = tuple[str, str]  # mode and SHA
FILE, FOLDER = "100644", "40000"


class GitError(Exception):
    """GitHub's words for why a request is refused."""


class GitStore:
    """The objects of a repository, and its branches and tags as `heads/main`."""

    def __init__(self, files: dict[str, str], modes: dict[str, str] | None = None) -> None:
        self.blobs: dict[str, bytes] = {}
        self.trees: dict[str, dict[str, Entry]] = {}
        self.commits: dict[str, JSON] = {}
        self.refs: dict[str, str] = {}
        entries = {path: ((modes or {}).get(path, FILE), self.add_blob(text.encode())) for path, text in files.items()}
        self.refs["heads/main"] = self.add_commit("Start the shop\n\nwith all it has", self._tree_of(entries), [])

    def add_blob(self, content: bytes) -> str:
        """The SHA of a file's content."""
        sha = _sha("blob", content)
        self.blobs[sha] = content
        return sha

    def add_commit(self, message: str, tree: str, parents: list[str]) -> str:
        """The SHA of a commit. Raises GitError."""
        if tree not in self.trees:
            raise GitError("Tree SHA does not exist")
        if not set(parents) <= set(self.commits):
            raise GitError("Parent SHA does not exist or is not a commit object.")
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents), "author a <a@b> 0 +0000", "", message]
        sha = _sha("commit", "\n".join(lines).encode())
        self.commits[sha] = {"sha": sha, "message": message, "tree": tree, "parents": parents}
        return sha

    def edited(self, base: str, changes: list[JSON]) -> str:
        """The SHA of a tree with these entries, a `sha` of null being a deletion. Raises GitError."""
        if base not in self.trees:
            raise GitError("base_tree is not a valid tree oid")
        files = dict(self.files(base))
        for item in changes:
            path, sha = item["path"], item["sha"]
            if any(part in ("", ".", "..", ".git") for part in path.split("/")):
                raise GitError("tree.path contains a malformed path component")
            if sha is None:
                if files.pop(path, None) is None:
                    raise GitError("GitRPC::BadObjectState")
            elif sha not in self.blobs:
                raise GitError(f"tree.sha {sha} is not a valid blob")
            else:
                files[path] = (item["mode"], sha)
        return self._tree_of(files)

    def files(self, tree: str, prefix: str = "") -> Iterator[tuple[str, Entry]]:
        """Every file below a tree, with its whole path."""
        for name, (mode, sha) in self.trees[tree].items():
            if mode == FOLDER:
                yield from self.files(sha, f"{prefix}{name}/")
            else:
                yield f"{prefix}{name}", (mode, sha)

    def texts(self, ref: str) -> dict[str, str]:
        """The files of a branch or tag."""
        tree = self.commits[self.refs[ref]]["tree"]
        return {path: self.blobs[sha].decode() for path, (_, sha) in self.files(tree)}

    def put(self, branch: str, message: str, **files: str) -> str:
        """Somebody else's commit on a branch; `__` in a name is a slash."""
        head = self.refs.get(f"heads/{branch}", self.refs["heads/main"])
        entries = [
            {"path": name.replace("__", "/"), "mode": FILE, "sha": self.add_blob(text.encode())}
            for name, text in files.items()
        ]
        sha = self.add_commit(message, self.edited(self.commits[head]["tree"], entries), [head])
        self.refs[f"heads/{branch}"] = sha
        return sha

    def ancestors(self, sha: str) -> list[str]:
        """A commit and all before it, the newest first."""
        found, waiting = [], [sha]
        while waiting:
            one = waiting.pop(0)
            if one not in found:
                found.append(one)
                waiting += self.commits[one]["parents"]
        return found

    def resolve(self, name: str) -> str | None:
        """The commit of a SHA, a branch or a tag, as git-rev-parse looks for them."""
        if name in self.commits:
            return name
        return next(
            (self.refs[f"{kind}{name}"] for kind in ("", "tags/", "heads/") if f"{kind}{name}" in self.refs), None
        )

    def _tree_of(self, files: dict[str, Entry]) -> str:
        here: dict[str, Entry] = {}
        below: dict[str, dict[str, Entry]] = {}
        for path, entry in files.items():
            name, slash, rest = path.partition("/")
            if slash:
                below.setdefault(name, {})[rest] = entry
            else:
                here[name] = entry
        here |= {name: (FOLDER, self._tree_of(inside)) for name, inside in below.items()}
        ordered = dict(sorted(here.items(), key=lambda item: item[0] + ("/" if item[1][0] == FOLDER else "")))
        raw = b"".join(f"{mode} {name}\0".encode() + bytes.fromhex(sha) for name, (mode, sha) in ordered.items())
        sha = _sha("tree", raw)
        self.trees[sha] = ordered
        return sha


def _sha(kind: str, content: bytes) -> str:
    return sha1(f"{kind} {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()
