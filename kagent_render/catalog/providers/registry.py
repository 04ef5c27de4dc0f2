"""The registry of model providers."""

from kagent_render.catalog.providers import anthropic, azure_openai, gemini, ollama, openai, openai_compatible
from kagent_render.catalog.providers.base import Provider

_ALL = (anthropic, azure_openai, gemini, ollama, openai, openai_compatible)
PROVIDERS: dict[str, Provider] = {module.PROVIDER.name: module.PROVIDER for module in _ALL}
