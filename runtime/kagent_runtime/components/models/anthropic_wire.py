"""Anthropic's Messages API, over AutoGen's client with its defects mended.

AutoGen 0.7.5 always sends a temperature, which anthropic 1.0 and later refuse, so the SDK is pinned below.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from anthropic import AsyncAnthropic, DefaultAsyncHttpxClient
from autogen_core import FunctionCall
from autogen_core.models import AssistantMessage, CreateResult, LLMMessage, SystemMessage
from autogen_ext.models.anthropic import BaseAnthropicChatCompletionClient

from kagent_runtime.components.models.base import Connected, headers, model_info, ssl_context
from kagent_runtime.model import ModelClientConfig

DEFAULT_MAX_TOKENS = 4096  # the API demands a bound


def connect(config: ModelClientConfig, key: str, base_url: str) -> Connected:
    """A connection of its own. Raises ModelError."""
    options: dict[str, Any] = {"default_headers": headers(config) or None}
    if config.tls:
        options["http_client"] = DefaultAsyncHttpxClient(verify=ssl_context(config.tls, config.name))
    sdk = AsyncAnthropic(
        api_key=key,
        base_url=base_url,
        timeout=config.timeout_seconds,
        max_retries=config.max_retries,
        **options,
    )
    adapter = _Sdk(sdk, has_temperature=config.parameters.temperature is not None)
    # A client of AutoGen's remembers the tools of its last call, for calls without: so each agent has its own.
    return Connected(lambda: AnthropicClient(adapter, config), {}, takes_response_format=False)


class _Sdk:
    """The part of the SDK that AutoGen calls. `messages` is itself: it has one method."""

    def __init__(self, sdk: AsyncAnthropic, *, has_temperature: bool) -> None:
        self._sdk, self._has_temperature, self.messages = sdk, has_temperature, self

    async def create(self, **arguments: Any) -> Any:
        """Send; without AutoGen's own temperature, which newer models refuse beside top_p."""
        if not self._has_temperature:
            arguments.pop("temperature", None)
        return await self._sdk.messages.create(**arguments)


class AnthropicClient(BaseAnthropicChatCompletionClient):
    """AutoGen's client: with one system prompt, arguments that are JSON, and streams that can be cancelled."""

    def __init__(self, sdk: _Sdk, config: ModelClientConfig) -> None:
        parameters = config.parameters
        wanted = {
            "temperature": parameters.temperature,
            "top_p": parameters.top_p,
            "top_k": parameters.top_k,
            "stop_sequences": parameters.stop,
        }
        arguments: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
        arguments |= {"model": config.model, "max_tokens": parameters.max_tokens or DEFAULT_MAX_TOKENS}
        super().__init__(sdk, create_args=arguments, model_info=model_info(config))

    async def create(self, messages: Sequence[LLMMessage], **options: Any) -> CreateResult:
        """One answer."""
        return await super().create(acceptable(messages), **options)

    async def create_stream(
        self, messages: Sequence[LLMMessage], **options: Any
    ) -> AsyncGenerator[str | CreateResult, None]:
        """Pieces of text and, last, the result. AutoGen's loop over a stream does not look at the token."""
        token = options.get("cancellation_token")
        chunks = super().create_stream(acceptable(messages), **options)
        while True:
            following = asyncio.ensure_future(anext(chunks, None))
            if token is not None:
                token.link_future(following)
            if (chunk := await following) is None:
                return
            yield chunk


def acceptable(messages: Sequence[LLMMessage]) -> list[LLMMessage]:
    """One system prompt, for AutoGen raises on two that are apart, and JSON in every tool call of the history."""
    system = [message.content for message in messages if isinstance(message, SystemMessage)]
    others = [_with_json(message) for message in messages if not isinstance(message, SystemMessage)]
    return [SystemMessage(content="\n".join(system)), *others] if system else others


def _with_json(message: LLMMessage) -> LLMMessage:
    if not isinstance(message, AssistantMessage) or isinstance(message.content, str):
        return message
    return message.model_copy(update={"content": [_with_object(call) for call in message.content]})


def _with_object(call: FunctionCall) -> FunctionCall:
    """What the model sent broken was answered by an error already; sent back, it must be an object."""
    try:
        is_object = isinstance(json.loads(call.arguments), dict)
    except ValueError:
        is_object = False
    if is_object:
        return call
    return FunctionCall(id=call.id, name=call.name, arguments=json.dumps({"invalid": call.arguments}))
