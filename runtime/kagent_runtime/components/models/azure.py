"""Azure OpenAI: the chat completions protocol at a deployment, the key in `api-key`, the version in the query."""

from __future__ import annotations

from typing import Any

from autogen_core.models import ChatCompletionClient
from autogen_ext.models.openai import BaseOpenAIChatCompletionClient
from openai import AsyncAzureOpenAI

from kagent_runtime.components.models.base import Connected
from kagent_runtime.components.models.openai_wire import extra_arguments, shared_options
from kagent_runtime.model import ModelClientConfig

_OF_THE_CLIENT = ("api_key", "timeout", "max_retries", "http_client", "default_headers")


def connect(config: ModelClientConfig, key: str, base_url: str) -> Connected:
    """A client with a connection of its own. Raises ModelError.

    Not AutoGen's AzureOpenAIChatCompletionClient: that needs azure-identity to be installed, for a key too.
    """
    assert config.azure is not None, "checked with the config"
    options = shared_options(config, key)
    connection = {name: options.pop(name) for name in _OF_THE_CLIENT if name in options}
    sdk = AsyncAzureOpenAI(
        azure_endpoint=base_url,
        azure_deployment=config.azure.deployment,
        api_version=config.azure.api_version,
        **connection,
    )
    return Connected(_client(config, sdk, options), extra_arguments(config), {"include_usage": True})


def _client(config: ModelClientConfig, sdk: AsyncAzureOpenAI, options: dict[str, Any]) -> ChatCompletionClient:
    info, with_names = options.pop("model_info"), options.pop("include_name_in_message")
    arguments = {"model": config.model, **options}

    class Client(BaseOpenAIChatCompletionClient):
        """AutoGen's translation of messages over Azure's connection."""

        def __init__(self) -> None:
            super().__init__(client=sdk, create_args=arguments, model_info=info, include_name_in_message=with_names)

    return Client()
