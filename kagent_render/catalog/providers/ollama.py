"""Ollama, by its route that speaks OpenAI's protocol (https://docs.ollama.com/api/openai-compatibility).

AutoGen's client for the native route gives every tool call of a stream the id "0", and knows no headers, TLS,
timeout or retries.
"""

from kagent_render.catalog.providers.base import Provider

PROVIDER = Provider(
    name="Ollama",
    default_base_url=None,
    requires_key=False,
    usual_variable=None,
    parameters=frozenset(
        (
            "temperature",
            "top_p",
            "max_tokens",
            "seed",
            "stop",
            "frequency_penalty",
            "presence_penalty",
            "reasoning_effort",
        )
    ),
    suffix="/v1",
    base_url_help="add baseUrl: http://ollama.<namespace>.svc:11434",
)
