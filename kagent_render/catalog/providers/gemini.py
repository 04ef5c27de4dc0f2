"""Gemini, by the route of Google's API that speaks OpenAI's protocol (ai.google.dev/gemini-api/docs/openai)."""

from kagent_render.catalog.providers.base import Provider

PROVIDER = Provider(
    name="Gemini",
    default_base_url="https://generativelanguage.googleapis.com/v1beta/openai",
    domains=("generativelanguage.googleapis.com",),
    requires_key=True,
    usual_variable="GEMINI_API_KEY",
    # Gemini refuses empty messages; of AutoGen's message forms only those of its Gemini families avoid them.
    family="gemini-2.5-flash",
    parameters=frozenset(("temperature", "top_p", "max_tokens", "max_completion_tokens", "stop", "reasoning_effort")),
)
