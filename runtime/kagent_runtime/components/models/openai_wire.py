"""The chat completions protocol: OpenAI, Gemini's and Ollama's routes of it, and every compatible server."""

from __future__ import annotations

from typing import Any

from autogen_ext.models.openai import OpenAIChatCompletionClient
from openai import DefaultAsyncHttpxClient

from kagent_runtime.components.models.base import Connected, headers, model_info, ssl_context
from kagent_runtime.model import ModelClientConfig

# AutoGen's config knows these; the others reach the wire as arguments of each call.
_KNOWN = ("temperature", "top_p", "max_tokens", "seed", "frequency_penalty", "presence_penalty", "stop")


def connect(config: ModelClientConfig, key: str, base_url: str) -> Connected:
    """A client with a connection of its own. Raises ModelError."""
    client = OpenAIChatCompletionClient(model=config.model, base_url=base_url, **shared_options(config, key))
    return Connected(client, extra_arguments(config), {"include_usage": True})


def shared_options(config: ModelClientConfig, key: str) -> dict[str, Any]:
    """What both OpenAI's client and Azure's take."""
    parameters = config.parameters.model_dump(exclude_none=True)
    options: dict[str, Any] = {name: parameters[name] for name in _KNOWN if name in parameters}
    if config.tls:
        options["http_client"] = DefaultAsyncHttpxClient(verify=ssl_context(config.tls, config.name))
    if config.headers:
        options["default_headers"] = headers(config)
    return options | {
        "api_key": key,
        "timeout": config.timeout_seconds,
        "max_retries": config.max_retries,
        "model_info": model_info(config),
        "include_name_in_message": False,  # many compatible servers refuse `name`
    }


def extra_arguments(config: ModelClientConfig) -> dict[str, Any]:
    """What AutoGen's config would drop: newer parameters, and fields of one server only."""
    parameters = config.parameters
    found: dict[str, Any] = {}
    if parameters.max_completion_tokens is not None:
        found["max_completion_tokens"] = parameters.max_completion_tokens
    if parameters.reasoning_effort is not None:
        found["reasoning_effort"] = parameters.reasoning_effort
    body = dict(config.extra_body or {})
    if parameters.top_k is not None:
        body["top_k"] = parameters.top_k
    return found | ({"extra_body": body} if body else {})
