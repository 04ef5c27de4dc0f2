"""Whether files were saved since they were last read: by asking, which works on every file system and editor."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

SECONDS = 0.4
"""How often to ask."""

Stamps = dict[str, tuple[int, int, int] | None]


def with_folders(paths: Iterable[str]) -> set[str]:
    """The paths, and the folders that they are in, which change when a file comes or goes."""
    return {name for path in paths for name in (path, str(Path(path).parent))}


def stamps(names: Iterable[str]) -> Stamps:
    """What is another when one of these is saved, comes or goes."""
    return {name: _stamp(name) for name in names}


def _stamp(name: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(name)
    except OSError:
        return None
    # Editors that write a new file in place of the old one keep neither its number nor, in time, its size.
    return found.st_mtime_ns, found.st_size, found.st_ino
