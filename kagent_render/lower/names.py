"""Names that other systems impose: AutoGen's identifiers, environment variables."""

from __future__ import annotations

import re

_NOT_WORD = re.compile(r"[^A-Za-z0-9_]")


def autogen_id(name: str) -> str:
    """AutoGen refuses agent names that are not Python identifiers (`AssistantAgent` checks `isidentifier`)."""
    return _NOT_WORD.sub("_", name)


def key_variable(model_name: str) -> str:
    """The environment variable that holds the key of a ModelConfig."""
    return f"KAGENT_{_NOT_WORD.sub('_', model_name).upper()}_API_KEY"
