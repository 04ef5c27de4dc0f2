"""Anthropic: the Messages API."""

from kagent_render.catalog.providers.base import Provider

PROVIDER = Provider(
    name="Anthropic",
    default_base_url="https://api.anthropic.com",
    requires_key=True,
    usual_variable="ANTHROPIC_API_KEY",
    parameters=frozenset(("temperature", "top_p", "top_k", "max_tokens", "stop")),
)
