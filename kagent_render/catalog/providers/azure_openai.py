"""Azure OpenAI: the same protocol at a deployment of one's own resource, with its key in a header of its own."""

from kagent_render.catalog.providers.base import OPENAI_PARAMETERS, Provider

PROVIDER = Provider(
    name="AzureOpenAI",
    default_base_url=None,
    domains=("openai.azure.com", "cognitiveservices.azure.com"),
    requires_key=True,
    usual_variable="AZURE_OPENAI_API_KEY",
    parameters=OPENAI_PARAMETERS,
    has_azure=True,
    base_url_help="add baseUrl: https://<resource>.openai.azure.com",
    # Azure's newer route is OpenAI's own protocol: no deployment, no version.
    wrong_endings=("/openai", "/v1"),
)
