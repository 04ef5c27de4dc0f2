"""What a spec wants of an MCP server, held against `tools.lock`, and what of that the runtime is told."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kagent_render.catalog.base import Problem
from kagent_render.catalog.credentials import is_secret_name
from kagent_render.catalog.tools.mcp_choice import McpChoice, fixed_of, names_of
from kagent_render.catalog.tools.mcp_schema import flaws, misfits
from kagent_render.diagnostics import did_you_mean
from kagent_render.schemas.validator import defects
from kagent_render.source.tool_lock import FILE, LockedTool

Locked = Mapping[str, LockedTool] | None
RUN = "run `kagent-render lock`"


def check_choices(tool: str, choices: Sequence[str | McpChoice], locked: Locked) -> Iterator[Problem]:
    """Fixed arguments that nothing can be told, tools that are not locked, and arguments that theirs do not take."""
    for index, choice in enumerate(choices):
        if isinstance(choice, McpChoice):
            yield from _check_values(choice.arguments, ("mcp", "tools", index, "arguments"))
    if locked is None:
        return
    if not locked:
        yield Problem("KR373", f"`{tool}` is not in {FILE}", ("mcp", "tools"), RUN)
        return
    for index, (name, choice) in enumerate(zip(names_of(choices), choices, strict=True)):
        place = ("mcp", "tools", index)
        if name not in locked:
            guess = did_you_mean(name, locked)
            help = f"{guess} Else {RUN}" if guess else RUN
            yield Problem("KR373", f"`{name}` is not among the tools of `{tool}` in {FILE}", place, help)
        elif isinstance(choice, McpChoice) and not any(flaws(locked[name].schema)):
            yield from _check_arguments(choice, locked[name], (*place, "arguments"))


def _check_values(value: Any, place: tuple[int | str, ...]) -> Iterator[Problem]:
    """They are in Git and in a ConfigMap, so no credentials; and JSON. What has a credential's form is found anyway."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ()):
        if isinstance(item, str) and is_secret_name(str(key)):
            help = "a server gets its credentials in `headers` or `env`, from a Secret"
            yield Problem("KR106", f"`{key}` holds a credential", (*place, key), help)
        elif isinstance(item, float) and not math.isfinite(item):
            yield Problem("KR104", f"`{key}` is a number that JSON does not have", (*place, key), "a finite number")
        yield from _check_values(item, (*place, key))


def _check_arguments(choice: McpChoice, locked: LockedTool, place: tuple[int | str, ...]) -> Iterator[Problem]:
    known = locked.schema.get("properties", {})
    for name, value in choice.arguments.items():
        if name not in known:
            help = did_you_mean(name, known) or f"it takes: {', '.join(known) or 'nothing'}"
            yield Problem("KR107", f"`{name}` is not an argument of `{choice.name}`", (*place, name), help)
            continue
        for path, message in misfits(value, locked.schema, name):
            said = ".".join(str(part) for part in (name, *path))
            code = "KR103" if not path and _is_of_another_type(value, known[name]) else "KR104"
            help = f"as {FILE} has it; {RUN} if the server has changed"
            yield Problem(code, f"`{said}` {message}", (*place, name, *path), help)


def _is_of_another_type(value: Any, schema: Any) -> bool:
    return isinstance(schema, dict) and "type" in schema and any(defects(value, {"type": schema["type"]}))


def promises(choices: Sequence[str | McpChoice], locked: Locked) -> dict[str, Any]:
    """The part of the runtime's config: what is locked, and what is fixed; nothing of both, no key."""
    config: dict[str, Any] = {}
    if locked:
        config["locked"] = [_locked(locked[name]) for name in names_of(choices)]
    if fixed := fixed_of(choices):
        config["fixed"] = {name: dict(arguments) for name, arguments in fixed.items()}
    return config


def _locked(tool: LockedTool) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "input_schema": dict(tool.schema)}
