"""`kagent-render flux`."""

from __future__ import annotations

from pathlib import Path

import click

from kagent_render.cli.output import say
from kagent_render.gitops.flux import Delivery, scaffold


def run(folder: str, delivery: Delivery) -> int:
    """Write the files; none that is there is touched. Raises UsageError, OSError."""
    target = Path(folder)
    files = {target / name: text for name, text in scaffold(delivery).items()}
    present = sorted(path.as_posix() for path in files if path.exists())
    if present:
        raise click.UsageError(f"{present[0]} exists, and nothing is overwritten; choose another folder or --name")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        say(f"created {path.as_posix()}")
    return 0
