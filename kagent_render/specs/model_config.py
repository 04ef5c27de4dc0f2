"""Kind ModelConfig: which model, where, and with which Secret's key."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from kagent_render.catalog.fields import SecretKeyReference, SpecModel, Text
from kagent_render.specs.base import Metadata


def _http_url(value: str) -> str:
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

    vision: bool | None = Field(default=None, description="It reads images.")
    function_calling: bool | None = Field(default=None, description="It calls tools.")
    json_output: bool | None = Field(default=None, description="It can be told to answer in JSON.")
    structured_output: bool | None = Field(default=None, description="It keeps to a JSON Schema.")
    multiple_system_messages: bool | None = Field(default=None, description="It takes several system messages.")
    family: Text | None = Field(default=None, description="AutoGen's name of its family, such as gpt-4o.")


class Parameters(SpecModel):
    """Sampling parameters; only those set are sent."""

    temperature: float | None = Field(default=None, ge=0, le=2, description="How varied the answers are; 0: least.")
    top_p: float | None = Field(default=None, ge=0, le=1, description="Share of likely tokens to choose from.")
    max_tokens: int | None = Field(default=None, ge=1, description="Tokens of one answer at most.")
    seed: int | None = Field(default=None, description="For answers that can be repeated, as far as the model can.")
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2, description="Against repeated words.")
    presence_penalty: float | None = Field(default=None, ge=-2, le=2, description="Against repeated topics.")
    stop: list[Text] | None = Field(default=None, min_length=1, max_length=4, description="Texts that end an answer.")


class ModelConfigSpec(Parameters):
    """What a model is."""

    provider: Literal["OpenAI", "OpenAICompatible"] | None = Field(
        default=None, description="Default: OpenAI, or OpenAICompatible when `baseUrl` is set."
    )
    model: Text = Field(description="The provider's name of the model.")
    base_url: Annotated[str, AfterValidator(_http_url)] | None = Field(default=None, description="Ends in /v1.")
    api_key_secret_ref: SecretKeyReference | None = Field(default=None, description="The Secret with its API key.")
    timeout_seconds: float = Field(default=60.0, gt=0, le=3600, description="One call, seconds.")
    max_retries: int = Field(default=3, ge=0, le=10, description="After 429, 5xx and timeouts.")
    model_info: ModelInfo = Field(default_factory=ModelInfo, description="What the model can do, if not as usual.")

    @property
    def provider_name(self) -> str:
        """The provider, with its default applied."""
        return self.provider or ("OpenAICompatible" if self.base_url else "OpenAI")


class ModelConfig(SpecModel):
    """Which model, where, and with which Secret's key."""

    api_version: Literal["kagent.dev/v1alpha1"]
    kind: Literal["ModelConfig"]
    metadata: Metadata
    spec: ModelConfigSpec
