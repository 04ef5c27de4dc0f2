"""The commands that a kubernetes tool may run in containers: patterns of an argument list, which no shell ever sees.

`*` stands for any characters but `/`; alone it is any one argument. `...` at the end is any further arguments. None of
the two ever matches an argument that begins with `-` where the pattern does not, so that no option comes in unseen, and
none makes a step `.` or `..` of a path. `runtime/kagent_runtime/components/kubernetes_commands.py` matches them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from kagent_render.catalog.base import Problem

FURTHER = "..."
_MAX_LENGTH = 4096
# Shells and interpreters, of whatever language; what runs another program; clients of whole clusters and hosts.
_SHELLS = "ash bash busybox cmd csh dash fish ksh mksh powershell pwsh sh tcsh toybox zsh"
_INTERPRETERS = (
    "awk bun deno ed emacs ex expect gawk gdb irb java jshell julia lua luajit mawk mongosh mysql nawk node nodejs "
    "perl php psql pypy python redis-cli rscript ruby sed sqlite tclsh vi view vim"
)
_RUNNERS = (
    "capsh chroot crictl ctr docker doas env exec flock helm ionice kubectl make nc ncat nerdctl nice nohup nsenter "
    "parallel podman script setarch setpriv setsid socat ssh stdbuf strace su sudo taskset time timeout unshare watch "
    "xargs"
)
_UNBOUNDED = frozenset(f"{_SHELLS} {_INTERPRETERS} {_RUNNERS}".split())
Pattern = Sequence[str]


def in_words(pattern: Pattern) -> str:
    """The pattern as one would type it."""
    return " ".join(
        part if part.isprintable() and not set(part) & set(" '\"\\") else json.dumps(part) for part in pattern
    )


def check_commands(commands: Sequence[Pattern] | None, operation: str, *, takes_commands: bool) -> Iterator[Problem]:
    """Commands that are missing, of another operation, or that do not say what is run."""
    place = ("kubernetes", "commands")
    if not takes_commands:
        if commands:
            yield Problem("KR104", f"`{operation}` runs no commands", place, "remove `commands`")
        return
    if not commands:
        help = 'add commands: [["nginx", "-T"], ["df", "*"]], a list for each command'
        yield Problem("KR102", f"`{operation}` needs the `commands` that may be run", ("kubernetes",), help)
    for index, pattern in enumerate(commands or ()):
        yield from _check_pattern(pattern, (*place, index))


def _check_pattern(pattern: Pattern, place: tuple[str | int, ...]) -> Iterator[Problem]:
    if "*" in pattern[0] or pattern[0] == FURTHER:
        yield Problem("KR104", f"`{pattern[0]}` names no program", (*place, 0), "write the program out, without `*`")
        return
    for index, part in enumerate(pattern):
        if part == FURTHER and index != len(pattern) - 1:
            yield Problem("KR104", "`...` stands for what comes last", (*place, index), "move it to the end")
        elif "\x00" in part or len(part) > _MAX_LENGTH:
            yield Problem("KR104", "no argument of a program can be this", (*place, index), None)
    program = _program(pattern[0])
    if program in _UNBOUNDED and is_open(pattern):
        message = f"`{in_words(pattern)}` lets the model choose what `{program}` runs"
        yield Problem("KR384", message, (*place, 0), "write every argument out, or name the program that is meant")


def is_open(pattern: Pattern) -> bool:
    """Whether a model chooses something of it."""
    return pattern[-1] == FURTHER or any("*" in part for part in pattern)


def _program(path: str) -> str:
    """Its name without folder, version and extension: `/usr/bin/python3.12` is `python`."""
    return path.rpartition("/")[2].lower().removesuffix(".exe").rstrip("0123456789.-")
