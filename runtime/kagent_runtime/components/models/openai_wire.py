"""The chat completions protocol: OpenAI, Gemini's and Ollama's routes of it, and every compatible server."""

from __future__ import annotations

from typing import Any

from autogen_ext.models.openai import BaseOpenAIChatCompletionClient
from openai import AsyncOpenAI, DefaultAsyncHttpxClient

from kagent_runtime.components.models.base import Connected, headers, model_info, ssl_context
from kagent_runtime.model import ModelClientConfig


def connect(config: ModelClientConfig, key: str, base_url: str) -> Connected:
    """A connection of its own. Raises ModelError."""
    return connected(config, AsyncOpenAI(base_url=base_url, **connection_options(config, key)))


def connection_options(config: ModelClientConfig, key: str) -> dict[str, Any]:
    """What the SDK's client takes, whoever's it is."""
    options: dict[str, Any] = {
        "api_key": key,
        "timeout": config.timeout_seconds,
        "max_retries": config.max_retries,
        "default_headers": headers(config) or None,
    }
    if config.tls:
        options["http_client"] = DefaultAsyncHttpxClient(verify=ssl_context(config.tls, config.name))
    return options


def connected(config: ModelClientConfig, sdk: AsyncOpenAI) -> Connected:
    """AutoGen's translation of messages over this connection.

    Not its OpenAIChatCompletionClient: the config of that drops `max_completion_tokens` and `extra_body`. Nor its
    AzureOpenAIChatCompletionClient: that needs azure-identity to be installed, for a key too.
    """
    client = BaseOpenAIChatCompletionClient(
        client=sdk,
        create_args={"model": config.model, **_arguments(config)},
        model_info=model_info(config),
        include_name_in_message=False,  # many compatible servers refuse `name`
    )
    # Usage is zero in a stream unless asked for, and a 400 outside one if put into the arguments.
    return Connected(lambda: client, {"include_usage": True}, embeddings=sdk.embeddings)


def _arguments(config: ModelClientConfig) -> dict[str, Any]:
    """The parameters; what only some servers know goes into the body beside them."""
    parameters = config.parameters.model_dump(exclude_none=True)
    body = dict(config.extra_body or {})
    if "top_k" in parameters:
        body["top_k"] = parameters.pop("top_k")
    return parameters | ({"extra_body": body} if body else {})
