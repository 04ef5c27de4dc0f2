"""The lock files that stand beside specs: where they may be, and their text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kagent_render.diagnostics import Diagnostics
from kagent_render.source.discover import SourceFile, read_file


def lock_paths(paths: Sequence[str], environment: str | None, name: str) -> list[Path]:
    """Where locks may stand: in each folder given, then in the environment's folder, which wins."""
    folders = [Path(given) for given in paths if Path(given).is_dir()]
    return [folder / name for folder in folders] + [
        folder / "environments" / environment / name for folder in folders if environment
    ]


def lock_files(paths: Sequence[str], environment: str | None, name: str, diagnostics: Diagnostics) -> list[SourceFile]:
    """Every lock there is, the one that wins last."""
    files = []
    for path in lock_paths(paths, environment, name):
        text = read_file(path, diagnostics) if path.is_file() else None
        if text is not None:
            files.append(SourceFile(path.as_posix(), text, explicit=True))
    return files
