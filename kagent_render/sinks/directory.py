"""An output folder: staged beside it, moved file by file, and only our own stale files removed.

What we own is what the kustomization we wrote lists, and it must still carry our header.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kagent_render.diagnostics import Diagnostics
from kagent_render.emit import HEADER
from kagent_render.sinks.layout import KUSTOMIZATION

_LISTED = re.compile(r'^- "?([^"\s]+)"?$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Changes:
    """Paths below the folder, sorted: what a write creates, changes and deletes."""

    created: tuple[str, ...]
    changed: tuple[str, ...]
    deleted: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """One line a path, with what happens to it."""
        for word, paths in (("created", self.created), ("changed", self.changed), ("deleted", self.deleted)):
            for path in paths:
                yield f"{word} {path}"


def compare(folder: Path, files: Mapping[str, str], diagnostics: Diagnostics) -> Changes:
    """What writing `files` would change. A file in the way that is not ours is a KR601."""
    created, changed = [], []
    for path, text in files.items():
        target = folder / path
        if not _is_safe(folder, path):
            diagnostics.add("KR602", f"`{path}` is reached through a symbolic link in the output folder", None)
        elif not target.exists():
            created.append(path)
        elif (found := _read(target)) != text:
            if not found.startswith(HEADER):
                diagnostics.add(
                    "KR601",
                    f"`{target.as_posix()}` was not written by kagent-render",
                    None,
                    help="move it away, or choose another folder",
                )
            changed.append(path)
    deleted = [path for path in _owned(folder) if path not in files and _is_ours(folder, path)]
    return Changes(tuple(sorted(created)), tuple(sorted(changed)), tuple(sorted(deleted)))


def write(folder: Path, files: Mapping[str, str], changes: Changes) -> None:
    """Apply the changes. Everything is staged first; the kustomization moves last. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".kagent-render-", dir=folder) as stage:
        moves = []
        for number, path in enumerate(sorted({*changes.created, *changes.changed}, key=_kustomization_last)):
            staged = Path(stage, str(number))
            staged.write_text(files[path], encoding="utf-8", newline="\n")
            moves.append((staged, folder / path))
        for staged, target in moves:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(staged, target)
    for path in changes.deleted:
        (folder / path).unlink()
        _remove_empty_parents(folder, path)


def _kustomization_last(path: str) -> tuple[bool, str]:
    return (path == KUSTOMIZATION, path)


def _owned(folder: Path) -> list[str]:
    kustomization = folder / KUSTOMIZATION
    text = _read(kustomization) if kustomization.is_file() else ""
    return _LISTED.findall(text) if text.startswith(HEADER) else []


def _is_ours(folder: Path, path: str) -> bool:
    target = folder / path
    return _is_safe(folder, path) and target.is_file() and _read(target).startswith(HEADER)


def _is_safe(folder: Path, path: str) -> bool:
    parts = PurePosixPath(path).parts
    if PurePosixPath(path).is_absolute() or ".." in parts:
        return False
    return not any(folder.joinpath(*parts[: count + 1]).is_symlink() for count in range(len(parts)))


def _read(path: Path) -> str:
    return path.read_bytes().decode("utf-8", errors="replace")


def _remove_empty_parents(folder: Path, path: str) -> None:
    for parent in list((folder / path).parents):
        if parent == folder or any(parent.iterdir()):
            return
        parent.rmdir()
