"""Kind ModelConfig: which model, where, and with which Secret's key."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from kagent_render.catalog.connection import ClientTls, Header
from kagent_render.catalog.fields import (
    JSON,
    Namespace,
    ObjectName,
    SecretKeyReference,
    ServiceName,
    SpecModel,
    Text,
    matching,
)
from kagent_render.specs.base import Metadata

ProviderName = Literal["OpenAI", "AzureOpenAI", "Anthropic", "Gemini", "Ollama", "OpenAICompatible"]


def http_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or any(c.isspace() for c in value):
        raise PydanticCustomError("value", "{rule}", {"rule": "an http:// or https:// URL"})
    if parts.username or parts.password:
        raise PydanticCustomError("secret", "a URL with a user or password")
    if parts.query or parts.fragment:
        raise PydanticCustomError("value", "{rule}", {"rule": "a URL without `?` or `#`"})
    return value.rstrip("/")


class ModelInfo(SpecModel):
    """What the model can do, where its provider's default is not right."""

    vision: bool | None = Field(default=None, description="Images.")
    function_calling: bool | None = Field(default=None, description="Tools.")
    json_output: bool | None = Field(default=None, description="JSON mode.")
    structured_output: bool | None = Field(default=None, description="Answers of a given schema.")
    multiple_system_messages: bool | None = Field(default=None, description="More than one system message.")
    family: Text | None = Field(default=None, description="As AutoGen names it; default unknown.")


class Parameters(SpecModel):
    """Sampling parameters; only those set are sent, and one that the provider does not take is refused."""

    temperature: float | None = Field(default=None, ge=0, le=2, description="How much chance there is in an answer.")
    top_p: float | None = Field(default=None, ge=0, le=1, description="Of the likeliest tokens with this probability.")
    top_k: int | None = Field(default=None, ge=1, description="Of so many likeliest tokens.")
    max_tokens: int | None = Field(default=None, ge=1, description="Tokens of one answer, at most.")
    max_completion_tokens: int | None = Field(
        default=None, ge=1, description="The same, for models that reason: OpenAI's newer ones refuse maxTokens."
    )
    seed: int | None = Field(default=None, description="The same seed gives the same answer, where that works.")
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2, description="Against repeating tokens often.")
    presence_penalty: float | None = Field(default=None, ge=-2, le=2, description="Against repeating tokens at all.")
    stop: list[Text] | None = Field(default=None, min_length=1, max_length=4, description="Texts that end an answer.")
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high"] | None = Field(
        default=None, description="How long a reasoning model thinks."
    )


_ApiVersion = Annotated[
    str,
    matching(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(-preview)?", "value", "a date, as in 2024-10-21 or 2025-01-01-preview"),
]


class AzureSettings(SpecModel):
    """What a call of Azure OpenAI names besides the model."""

    deployment: Text | None = Field(default=None, description="Name of the deployment; default: that of the model.")
    api_version: _ApiVersion = Field(default="2024-10-21", description="Version of the API.")


class LlmGateway(SpecModel):
    """The Gateway that routes to an LLMInferenceService."""

    url: Annotated[str, AfterValidator(http_url)] = Field(description="Its URL, as agents reach it.")


class InferenceServiceReference(SpecModel):
    """A model that KServe serves."""

    name: ObjectName = Field(description="Name of the InferenceService or LLMInferenceService.")
    namespace: Namespace | None = Field(default=None, description="Default: that of the ModelConfig, else the pod's.")
    kind: Literal["InferenceService", "LLMInferenceService"] = Field(
        default="InferenceService", description="Which of KServe's two kinds."
    )
    gateway: LlmGateway | None = Field(default=None, description="Only with LLMInferenceService, and needed there.")


class GatewayService(SpecModel):
    """The Service of the Gateway, or of the llm-d router, before an InferencePool."""

    name: ServiceName = Field(description="Name of the Service.")
    namespace: Namespace | None = Field(default=None, description="Default: that of the pool.")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(default=80, description="Port of the Service.")


class InferencePoolReference(SpecModel):
    """A model that llm-d serves from an InferencePool."""

    name: ObjectName = Field(description="Name of the InferencePool.")
    namespace: Namespace | None = Field(default=None, description="Default: that of the ModelConfig, else the pod's.")
    gateway_service: GatewayService = Field(description="What routes to the pool.")


class Pricing(SpecModel):
    """What the model's tokens cost: for limits of cost, and to show what a run did."""

    input_per_million_tokens: float = Field(ge=0, le=1_000_000, description="What it reads.")
    output_per_million_tokens: float = Field(ge=0, le=1_000_000, description="What it writes.")
    currency: Annotated[str, matching(r"[A-Z]{3}", "value", "three capital letters (ISO 4217), such as EUR")] = Field(
        default="USD", description="Of both prices; the same for all models of a workload."
    )


class ModelConfigSpec(Parameters):
    """What a model is."""

    provider: ProviderName | None = Field(
        default=None, description="Default: OpenAICompatible when the spec says where the model is, else OpenAI."
    )
    model: Text = Field(description="The provider's name of the model.")
    base_url: Annotated[str, AfterValidator(http_url)] | None = Field(
        default=None, description="Where it is; of a compatible server it ends in /v1."
    )
    inference_service_ref: InferenceServiceReference | None = Field(
        default=None, description="A model of KServe, in place of baseUrl."
    )
    inference_pool_ref: InferencePoolReference | None = Field(
        default=None, description="A model of llm-d, in place of baseUrl."
    )
    api_key_secret_ref: SecretKeyReference | None = Field(default=None, description="The key, in a Secret.")
    azure: AzureSettings | None = Field(default=None, description="Only with AzureOpenAI.")
    headers: list[Header] | None = Field(default=None, min_length=1, description="More headers of every call.")
    tls: ClientTls | None = Field(default=None, description="Whom the connection trusts, and its certificate.")
    extra_body: JSON | None = Field(default=None, description="More fields of the request; OpenAICompatible only.")
    pricing: Pricing | None = Field(default=None, description="What its tokens cost.")
    timeout_seconds: float = Field(default=60.0, gt=0, le=3600, description="One call, seconds.")
    max_retries: int = Field(default=3, ge=0, le=10, description="After 429, 5xx and timeouts.")
    model_info: ModelInfo = Field(default_factory=ModelInfo, description="What the model can do.")

    @property
    def provider_name(self) -> str:
        """The provider, with its default applied."""
        has_place = self.base_url or self.inference_service_ref or self.inference_pool_ref
        return self.provider or ("OpenAICompatible" if has_place else "OpenAI")


class ModelConfig(SpecModel):
    """Which model, where, and with which Secret's key."""

    api_version: Literal["kagent.dev/v1alpha1"]
    kind: Literal["ModelConfig"]
    metadata: Metadata
    spec: ModelConfigSpec
