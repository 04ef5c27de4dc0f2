"""OpenAI itself."""

from kagent_render.catalog.providers.base import OPENAI_PARAMETERS, Provider

PROVIDER = Provider(
    name="OpenAI",
    default_base_url="https://api.openai.com/v1",
    domains=("api.openai.com",),
    requires_key=True,
    usual_variable="OPENAI_API_KEY",
    parameters=OPENAI_PARAMETERS,
)
