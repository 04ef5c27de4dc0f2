"""Anything that speaks the OpenAI chat completions protocol: vLLM, Ollama, LiteLLM, llama.cpp, gateways."""

from kagent_render.catalog.providers.base import Provider

PROVIDER = Provider(name="OpenAICompatible", default_base_url=None, requires_key=False)
