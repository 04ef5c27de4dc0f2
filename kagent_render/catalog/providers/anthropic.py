"""Anthropic: the Messages API."""

from kagent_render.catalog.providers.base import Provider

PROVIDER = Provider(
    name="Anthropic",
    default_base_url="https://api.anthropic.com",
    domains=("api.anthropic.com",),
    requires_key=True,
    usual_variable="ANTHROPIC_API_KEY",
    # The SDK adds it; people copy the URL with it.
    surplus="/v1",
    max_temperature=1,
    has_embeddings=False,
    # AutoGen 0.7.5 raises on a JSON schema for Anthropic.
    has_structured_output=False,
    parameters=frozenset(("temperature", "top_p", "top_k", "max_tokens", "stop")),
)
