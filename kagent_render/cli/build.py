"""`kagent-render build`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kagent_render.cli.output import report, say
from kagent_render.compiler import Compilation, compile_paths
from kagent_render.emit import emit_all


@dataclass(frozen=True, slots=True)
class Folder:
    """An output folder. `check`: nothing is written. `exit_code`: what is written is a failure, as for a hook."""

    path: str
    check: bool = False
    exit_code: bool = False


def run(
    paths: Sequence[str],
    namespace: str | None,
    environment: str | None,
    output: Folder | None,
    format_: str | None,
    templates: str | None,
    kube_version: str,
    settings: Sequence[str],
) -> int:
    """Compile and print or write. Exit 1 on errors, and when a folder that must not change would, or did."""
    compilation = compile_paths(
        paths, namespace, environment, templates=templates, kube_version=kube_version, settings=settings
    )
    if not compilation.diagnostics.has_errors and output is not None:
        return _to_folder(compilation, output, format_)
    report(compilation, sys.stderr, format_)
    if compilation.diagnostics.has_errors:
        return 1
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
    sys.stdout.write(emit_all(item.data for item in compilation.objects))
    sys.stdout.flush()
    return 0


def _to_folder(compilation: Compilation, output: Folder, format_: str | None) -> int:
    from kagent_render.sinks import directory
    from kagent_render.sinks.layout import layout

    folder, files = Path(output.path), layout(compilation.objects)
    changes = directory.compare(folder, files, compilation.diagnostics)
    report(compilation, sys.stderr, format_)
    if compilation.diagnostics.has_errors:
        return 1
    lines = list(changes.lines())
    if not output.check:
        directory.write(folder, files, changes)
    for line in lines:
        say(f"would be {line}" if output.check else line)
    if output.check:
        say(f"{folder.as_posix()}: {len(lines)} files out of date" if lines else f"{folder.as_posix()}: up to date")
    if output.exit_code and lines and not output.check:
        say(f"now: git add --all {folder.as_posix()}")
        for path in _untracked(file.path for file in compilation.files):
            say(f"note: {path} is not in Git, and what it compiles to is among these")
    return 1 if lines and (output.check or output.exit_code) else 0


def _untracked(paths: Iterable[str]) -> list[str]:
    """The files that Git does not have; pre-commit puts aside only changes of those that it has."""
    try:
        command = ["git", "--literal-pathspecs", "ls-files", "-z", "--others", "--", *paths]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return sorted(filter(None, done.stdout.split("\0"))) if done.returncode == 0 else []
