"""Azure OpenAI: the chat completions protocol at a deployment, the key in `api-key`, the version in the query."""

from __future__ import annotations

from openai import AsyncAzureOpenAI

from kagent_runtime.components.models.base import Connected
from kagent_runtime.components.models.openai_wire import connected, connection_options
from kagent_runtime.model import ModelClientConfig


def connect(config: ModelClientConfig, key: str, base_url: str) -> Connected:
    """A connection of its own. Raises ModelError."""
    assert config.azure is not None, "checked with the config"
    sdk = AsyncAzureOpenAI(
        azure_endpoint=base_url,
        azure_deployment=config.azure.deployment,
        api_version=config.azure.api_version,
        **connection_options(config, key),
    )
    return connected(config, sdk)
