"""OpenAI itself."""

from kagent_render.catalog.providers.base import Provider

PROVIDER = Provider(name="OpenAI", default_base_url="https://api.openai.com/v1", requires_key=True)
