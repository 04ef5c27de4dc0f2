"""Commands that a model wants to run in a container, held to the patterns that were granted. No shell reads them.

The rules are in kagent_render/catalog/tools/kubernetes_commands.py, which checks the patterns.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence

from kagent_runtime.components.kubernetes_arguments import ArgumentError

FURTHER = "..."
_MAX_LENGTH = 4096
_NO_CONTROL = r"[^\x00-\x1f\x7f]"
_IN_A_STEP = r"[^/\x00-\x1f\x7f]"


def argv_of(command: str) -> list[str]:
    """The arguments, by the quoting rules of a shell and by nothing else of it. Raises ArgumentError."""
    if len(command) > _MAX_LENGTH:
        raise ArgumentError(f"`command` is longer than {_MAX_LENGTH:,} characters")
    try:
        argv = shlex.split(command)
    except ValueError as error:
        raise ArgumentError(f"`command` cannot be split into arguments: {str(error).lower()}") from None
    if not argv or "\x00" in command:
        raise ArgumentError("`command` names no program")
    return argv


def check_command(argv: Sequence[str], commands: Sequence[Sequence[str]]) -> None:
    """Raises ArgumentError for a command that no pattern allows; it says which there are."""
    if any(matches(pattern, argv) for pattern in commands):
        return
    known = "; ".join(shown(pattern) for pattern in commands)
    raise ArgumentError(
        f"{shown(argv)[:300]} is not among the commands that may be run: {known}. There is no shell: no pipes, "
        "variables or wildcards; `*` stands for one argument, or a part of it without `/`, that is no option"
    )


def matches(pattern: Sequence[str], argv: Sequence[str]) -> bool:
    """Whether a command is one of those that a pattern stands for."""
    fixed = pattern[:-1] if pattern[-1] == FURTHER else pattern
    further = argv[len(fixed) :]
    if len(argv) < len(fixed) or (further and pattern[-1] != FURTHER):
        return False
    parts = zip(fixed, argv, strict=False)
    return all(_is(part, one) for part, one in parts) and all(_is("*", one) for one in further)


def _is(part: str, argument: str) -> bool:
    """One argument. A star brings in no option, no step out of a folder, and nothing that cannot be seen."""
    if "*" not in part:
        return part == argument
    if argument.startswith("-") and not part.startswith("-"):
        return False
    if part == "*":
        return re.fullmatch(f"{_NO_CONTROL}*", argument) is not None
    if re.fullmatch(f"{_IN_A_STEP}*".join(map(re.escape, part.split("*"))), argument) is None:
        return False
    steps = zip(part.split("/"), argument.split("/"), strict=True)  # a star takes in no slash
    return not any("*" in wanted and given in (".", "..") for wanted, given in steps)


def shown(argv: Sequence[str]) -> str:
    """The arguments exactly, for a person: what cannot be seen, or may be taken for something else, is escaped."""
    return json.dumps(list(argv)).replace("\x7f", "\\u007f")
