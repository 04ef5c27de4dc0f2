"""The registry of providers: which protocol each speaks."""

from __future__ import annotations

from importlib import import_module

from kagent_runtime.components.models.base import Connected
from kagent_runtime.model import ModelClientConfig

_PROTOCOLS = {
    "OpenAI": "openai_wire",
    "OpenAICompatible": "openai_wire",
    "Gemini": "gemini",
    "Ollama": "openai_wire",
    "AzureOpenAI": "azure",
    "Anthropic": "anthropic_wire",
}


def connect(config: ModelClientConfig, key: str, override: str | None) -> Connected:
    """The connection of a config. `override` is an OpenAI-compatible server in place of any provider's own.

    That server gets neither headers from Secrets nor a certificate: they are for the provider.
    """
    protocol = "openai_wire" if override else _PROTOCOLS[config.provider]
    if override:
        plain = [header for header in config.headers if header.env is None]
        config = config.model_copy(update={"headers": plain, "tls": None})
    module = import_module(f"kagent_runtime.components.models.{protocol}")
    connected: Connected = module.connect(config, key, override or config.base_url)
    return connected
