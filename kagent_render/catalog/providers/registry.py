"""The registry of model providers."""

from kagent_render.catalog.providers import openai, openai_compatible
from kagent_render.catalog.providers.base import Provider

PROVIDERS: dict[str, Provider] = {provider.name: provider for provider in (openai.PROVIDER, openai_compatible.PROVIDER)}
