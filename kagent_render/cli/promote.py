"""`kagent-render promote`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from kagent_render.cli.output import report, say
from kagent_render.compiler import compile_paths
from kagent_render.diagnostics import Diagnostics
from kagent_render.emit import emit
from kagent_render.gitops.promotion import Key, Promotion, Version, promotion, versions
from kagent_render.source import discover
from kagent_render.source.document import read_documents
from kagent_render.source.editing import with_fields
from kagent_render.source.formatting import FormatterMissingError
from kagent_render.source.image_lock import FILE, read_lock

_HEAD = "# Written by `kagent-render promote`.\n"


def run(folder: str, source: str, target: str, agents: frozenset[str], check: bool) -> int:
    """Write what the target lacks, all of it or, when it would not compile, nothing. Raises UsageError, OSError.

    Exit 0; with `check` 1 when there is something to promote.
    """
    root = Path(folder)
    _check_names(root, source, target)
    for name in (source, target):
        compilation = compile_paths([folder], None, name)
        if compilation.diagnostics.has_errors:
            report(compilation, sys.stderr, None)
            return 1
    plan = promotion(root, _side(folder, source), _side(folder, target), agents)
    for line in plan.lines:
        say(f"{'would promote' if check else 'promoted'} {line}")
    if not plan.lines:
        say(f"{target} has the versions of {source} already")
    if check or not plan.lines:
        return 1 if plan.lines else 0
    return _write(folder, target, _texts(root, target, plan))


def _check_names(root: Path, source: str, target: str) -> None:
    if source == target:
        raise click.UsageError("--from and --to name the same environment")
    for folder in (root / "environments" / name for name in (source, target)):
        if not folder.is_dir():
            raise click.UsageError(f"there is no environment `{folder.name}`: {folder.as_posix()}")


def _side(folder: str, name: str) -> tuple[str, Mapping[Key, Version], Mapping[str, str]]:
    diagnostics = Diagnostics()
    files = discover([(Path(folder) / "environments" / name).as_posix()], diagnostics)
    overlays = [document for file in files for document in read_documents(file, diagnostics)]
    return name, versions(overlays), dict(read_lock([folder], name, diagnostics).digests)


def _texts(root: Path, target: str, plan: Promotion) -> dict[Path, str]:
    """Every file as it shall be. Raises UsageError without ruamel.yaml."""
    found: dict[Path, str] = {}
    for path in sorted({edit.path for edit in plan.edits}):
        edits = {edit.key: (edit.api_version, edit.values) for edit in plan.edits if edit.path == path}
        file = Path(path)
        try:
            found[file] = with_fields(file.read_text("utf-8") if file.is_file() else "", edits)
        except FormatterMissingError:
            raise click.UsageError("promote needs ruamel.yaml: pip install 'kagent-render[fmt]'") from None
    for copy, original in plan.copies.items():
        found[Path(copy)] = Path(original).read_text("utf-8")
    if plan.digests:
        lock = root / "environments" / target / FILE
        own = _own_digests(root, target)
        found[lock] = _HEAD + emit({"images": dict(sorted((own | plan.digests).items()))})
    return found


def _own_digests(root: Path, target: str) -> dict[str, str]:
    """What the environment's own lock has, without that of the base."""
    folder = (root / "environments" / target).as_posix()
    return dict(read_lock([folder], None, Diagnostics()).digests)


def _write(folder: str, target: str, texts: Mapping[Path, str]) -> int:
    before = {path: path.read_bytes() if path.is_file() else None for path in texts}
    for path, text in texts.items():
        _replace(path, text.encode() or None)
    compilation = compile_paths([folder], None, target)
    if not compilation.diagnostics.has_errors:
        return 0
    for path, content in before.items():
        _replace(path, content)
    report(compilation, sys.stderr, None)
    say(f"{target} would not compile with these versions, so nothing is changed")
    return 1


def _replace(path: Path, content: bytes | None) -> None:
    """The file with this content; without one, no file."""
    if content is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_bytes(content)
    os.replace(temporary, path)
