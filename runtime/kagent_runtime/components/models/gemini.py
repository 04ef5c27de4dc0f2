"""Gemini's OpenAI-compatible route, with what Gemini 3 wants to see in every tool call it made."""

from __future__ import annotations

import re
from typing import Any

from openai import AsyncOpenAI
from openai._models import FinalRequestOptions

from kagent_runtime.components.models.base import Connected
from kagent_runtime.components.models.openai_wire import connected, connection_options
from kagent_runtime.model import ModelClientConfig

# Gemini 3 answers 400 to a history whose tool calls lack their thought signature, which AutoGen does not keep. This
# value is the documented one for such histories: https://ai.google.dev/gemini-api/docs/thought-signatures
_UNSIGNED = {"google": {"thought_signature": "skip_thought_signature_validator"}}


def connect(config: ModelClientConfig, key: str, base_url: str) -> Connected:
    """A connection of its own. Raises ModelError."""
    version = re.search(r"gemini-(\d+)", config.model)
    kind = AsyncGemini if version and int(version[1]) >= 3 else AsyncOpenAI
    return connected(config, kind(base_url=base_url, **connection_options(config, key)))


class AsyncGemini(AsyncOpenAI):
    """The SDK's client; its hook for requests marks the tool calls."""

    async def _prepare_options(self, options: FinalRequestOptions) -> FinalRequestOptions:
        prepared = await super()._prepare_options(options)
        if isinstance(prepared.json_data, dict):
            prepared.json_data = _marked(prepared.json_data)
        return prepared


def _marked(body: dict[str, Any]) -> dict[str, Any]:
    messages = [_marked_message(message) for message in body.get("messages", ())]
    return {**body, "messages": messages} if messages else body


def _marked_message(message: dict[str, Any]) -> dict[str, Any]:
    calls = message.get("tool_calls")
    return {**message, "tool_calls": [{**call, "extra_content": _UNSIGNED} for call in calls]} if calls else message
