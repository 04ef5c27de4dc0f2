"""Names that other systems impose, AutoGen's identifiers and environment variables; and the labels of pods."""

from __future__ import annotations

import re

TOOL_LABEL = "kagent.dev/tool"  # what only the pods of a tool's server have
_NOT_WORD = re.compile(r"[^A-Za-z0-9_]")


def autogen_id(name: str) -> str:
    """AutoGen refuses agent names that are not Python identifiers (`AssistantAgent` checks `isidentifier`)."""
    return _NOT_WORD.sub("_", name)


def model_prefix(name: str) -> str:
    """What the environment variables of a ModelConfig start with."""
    return f"KAGENT_{_NOT_WORD.sub('_', name).upper()}"


def own_label(kind: str, name: str) -> tuple[str, str]:
    """The label that only the pods of one agent, team or tool have: an immutable selector."""
    return ({"AgentTeam": "kagent.dev/team", "Tool": TOOL_LABEL}.get(kind, "kagent.dev/agent"), name)
