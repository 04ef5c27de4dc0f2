"""Anything that speaks the OpenAI chat completions protocol: vLLM, KServe, llm-d, LiteLLM, llama.cpp, gateways."""

from kagent_render.catalog.providers.base import OPENAI_PARAMETERS, Provider

PROVIDER = Provider(
    name="OpenAICompatible",
    default_base_url=None,
    requires_key=False,
    usual_variable=None,
    parameters=OPENAI_PARAMETERS | {"top_k"},
    has_extra_body=True,
)
