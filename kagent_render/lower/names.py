"""Names that other systems impose: AutoGen's identifiers, environment variables."""

from __future__ import annotations

import re

_NOT_WORD = re.compile(r"[^A-Za-z0-9_]")


def autogen_id(name: str) -> str:
    """AutoGen refuses agent names that are not Python identifiers (`AssistantAgent` checks `isidentifier`)."""
    return _NOT_WORD.sub("_", name)


def model_prefix(name: str) -> str:
    """What the environment variables of a ModelConfig start with."""
    return f"KAGENT_{_NOT_WORD.sub('_', name).upper()}"
