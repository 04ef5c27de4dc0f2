"""The registry of providers: which protocol each speaks."""

from __future__ import annotations

from importlib import import_module

from kagent_runtime.components.models.base import Connected
from kagent_runtime.model import ModelClientConfig

_PROTOCOLS = {
    "OpenAI": "openai_wire",
    "OpenAICompatible": "openai_wire",
    "Gemini": "openai_wire",
    "Ollama": "openai_wire",
    "AzureOpenAI": "azure",
    "Anthropic": "anthropic_wire",
}


def connect(config: ModelClientConfig, key: str, override: str | None) -> Connected:
    """The client of a config. `override` is an OpenAI-compatible server in place of any provider's own."""
    protocol = "openai_wire" if override else _PROTOCOLS[config.provider]
    module = import_module(f"kagent_runtime.components.models.{protocol}")
    connected: Connected = module.connect(config, key, override or config.base_url)
    return connected
