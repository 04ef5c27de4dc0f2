"""`kagent-render init`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from kagent_render.cli.output import say
from kagent_render.targets.templating import template_folder

_NAMES = {"gitattributes": ".gitattributes"}  # a dot file would be left out of a package


def run(folder: str) -> int:
    """Write a repository of specs that builds, runs and passes `check`. Raises UsageError, OSError."""
    target = Path(folder)
    files = {target / name: text for name, text in _files()}
    present = sorted(path.as_posix() for path in files if path.exists())
    if present:
        raise click.UsageError(f"{present[0]} exists, and nothing is overwritten; choose another folder")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        say(f"created {path.as_posix()}")
    say(f"\nnext: kagent-render run {target.as_posix()}")
    return 0


def _files() -> Iterator[tuple[str, str]]:
    root = template_folder() / "init"
    for path in sorted(root.rglob("*")):
        if path.is_file():
            name = path.relative_to(root).as_posix()
            yield _NAMES.get(name, name), path.read_text(encoding="utf-8")
