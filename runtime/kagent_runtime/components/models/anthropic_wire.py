"""Anthropic's Messages API. AutoGen sends a temperature always, which anthropic 1.0 and later refuse: pinned below."""

from __future__ import annotations

from typing import Any

from anthropic import DefaultAsyncHttpxClient
from autogen_ext.models.anthropic import AnthropicChatCompletionClient

from kagent_runtime.components.models.base import Connected, headers, model_info, ssl_context
from kagent_runtime.model import ModelClientConfig

DEFAULT_MAX_TOKENS = 4096  # the API demands a bound


def connect(config: ModelClientConfig, key: str, base_url: str) -> Connected:
    """A client with a connection of its own. Raises ModelError."""
    parameters = config.parameters
    options: dict[str, Any] = {
        "temperature": parameters.temperature,
        "top_p": parameters.top_p,
        "top_k": parameters.top_k,
        "stop_sequences": parameters.stop,
        "default_headers": headers(config) or None,
    }
    if config.tls:
        options["http_client"] = DefaultAsyncHttpxClient(verify=ssl_context(config.tls, config.name))
    client = AnthropicChatCompletionClient(
        model=config.model,
        api_key=key,
        base_url=base_url,
        timeout=config.timeout_seconds,
        max_retries=config.max_retries,
        model_info=model_info(config),
        max_tokens=parameters.max_tokens or DEFAULT_MAX_TOKENS,
        **{name: value for name, value in options.items() if value is not None},
    )
    return Connected(client, {}, {})
