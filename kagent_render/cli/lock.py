"""`kagent-render lock`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from kagent_render.cli.mcp_servers import ask, check_runtime, configs, hint, mcp_tools
from kagent_render.cli.output import report, say
from kagent_render.compiler import Compilation, compile_paths
from kagent_render.diagnostics import Diagnostics, did_you_mean
from kagent_render.emit import emit
from kagent_render.reports.text import printable
from kagent_render.resolve import ToolNode
from kagent_render.resolve.tool_lock import check_tool_lock, wanted_tools
from kagent_render.source import SourceFile, ToolLock, read_tool_lock
from kagent_render.source.lock_files import lock_paths
from kagent_render.source.tool_lock import FILE, servers_in
from kagent_render.views.tool_lock import Entry, differences, entry_of

_HEAD = "# Written by `kagent-render lock`.\n"
_UNREACHED = 2


@dataclass(frozen=True, slots=True)
class _Options:
    paths: Sequence[str]
    environment: str | None
    is_check: bool


def run(
    paths: Sequence[str], namespace: str | None, environment: str | None, servers: Sequence[str], check: bool
) -> int:
    """Ask every MCP server for its tools, and write what it says of those listed. Raises UsageError, OSError.

    Exit 0; 1 for errors in the specs or in what a server says, and with `check` when that is not what is locked; 2 when
    a server cannot be asked. Nothing is written but with 0.
    """
    check_runtime()
    compilation = compile_paths(paths, namespace, environment, has_locked_tools=False)
    report(compilation, sys.stderr, None)
    if compilation.diagnostics.has_errors:
        return 1
    tools = mcp_tools(compilation.graph)
    options = _Options(paths, environment, check)
    places = _places(tools, options)
    asked = configs(tools, servers)
    answers = ask(asked)
    unreached = [key for key in tools if "failure" in answers[key]]
    for key in unreached:
        more = hint(asked[key])
        say(printable(f"error: {key}: {answers[key]['failure']}") + (f"\n  = help: {more}" if more else ""))
    if unreached:
        return _UNREACHED
    return _compared(compilation, places, answers, options)


def _places(tools: Mapping[str, ToolNode], options: _Options) -> dict[Path, list[str]]:
    """The lock of each folder, and the Tools that belong there. Raises UsageError for one of no folder."""
    folders = [Path(given) for given in options.paths if Path(given).is_dir()]
    locks = {folder: lock_paths([str(folder)], options.environment, FILE)[-1] for folder in folders}
    places: dict[Path, list[str]] = {lock: [] for lock in locks.values() if lock.exists()}
    for key, tool in tools.items():
        file = tool.document.file.path if tool.document else ""
        around = [folder for folder in folders if Path(file).is_relative_to(folder)]
        if not around:
            raise click.UsageError(f"{FILE} stands beside specs: name the folder that {file} is in")
        nearest = max(around, key=lambda folder: len(folder.parts))
        places.setdefault(locks[nearest], []).append(key)
    return places


def _compared(
    compilation: Compilation, places: Mapping[Path, list[str]], answers: Mapping[str, Any], options: _Options
) -> int:
    diagnostics = Diagnostics()
    locked = read_tool_lock(options.paths, options.environment, diagnostics)
    if options.is_check and diagnostics.has_errors:
        report(replace(compilation, files=locked.files, diagnostics=diagnostics), sys.stderr, None)
        return 1
    told = {key: {tool["name"]: entry_of(tool) for tool in answer["tools"]} for key, answer in answers.items()}
    lines = list(_differences(locked, wanted_tools(compilation.graph), told))
    for line in lines if locked.files or options.is_check else ():
        click.echo(line)
    if options.is_check:
        say("the servers do not say what is locked" if lines else "the servers say what is locked")
        return 1 if lines else 0
    missing = [line for key, answer in answers.items() for line in _missing(key, answer, compilation)]
    for line in missing:
        say(line)
    return 1 if missing else _write(compilation, places, told)


def _differences(
    locked: ToolLock, wanted: Mapping[str, Sequence[str]], told: Mapping[str, Mapping[str, Entry]]
) -> Iterator[str]:
    """Of the tools that the specs list."""
    for key, entries in told.items():
        known = locked.tools_of(key) or {}
        yield from differences(key, {name: known[name] for name in wanted[key] if name in known}, entries)


def _missing(key: str, answer: Mapping[str, Any], compilation: Compilation) -> Iterator[str]:
    """The tools that are listed, and that the server does not have."""
    names = answer["names"]
    for name in wanted_tools(compilation.graph)[key]:
        if name not in names:
            help = did_you_mean(name, names) or f"it has: {', '.join(names) or 'none'}"
            yield printable(f"error: {key}: the server has no tool `{name}`; {help}")


def _write(compilation: Compilation, places: Mapping[Path, list[str]], told: Mapping[str, Mapping[str, Entry]]) -> int:
    files = []
    for path, keys in places.items():
        listed = {key: [told[key][name] for name in sorted(told[key])] for key in sorted(keys)}
        files.append(SourceFile(path.as_posix(), _HEAD + emit({"tools": listed}), explicit=True))
    if not _is_read_back(compilation, files, told):
        say("nothing is written")
        return 1
    for file in files:
        _replace(Path(file.path), file.text)
    if not files:
        say("there is no Tool of type mcp")
    return 0


def _is_read_back(
    compilation: Compilation, files: Sequence[SourceFile], told: Mapping[str, Mapping[str, Entry]]
) -> bool:
    """Whether the compiler takes what would be written, and reads the same: a server may say what YAML cannot."""
    diagnostics = Diagnostics()
    lock = ToolLock(tuple(files), servers_in(files, diagnostics))
    check_tool_lock(compilation.graph, lock.servers, diagnostics)
    report(replace(compilation, files=lock.files, diagnostics=diagnostics), sys.stderr, None)
    if not diagnostics.has_errors:
        for line in (lines := list(_differences(lock, wanted_tools(compilation.graph), told))):
            say(f"error: it cannot be written so that it reads the same: {line}")
        return not lines
    return False


def _replace(path: Path, text: str) -> None:
    if path.exists() and path.read_text(encoding="utf-8") == text:
        say(f"{path.as_posix()}: up to date")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(text, encoding="utf-8", newline="\n")
    os.replace(temporary, path)
    say(f"wrote {path.as_posix()}")
