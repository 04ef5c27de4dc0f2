"""Our model client: provider, endpoint, and the names of the variables that hold credentials."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from kagent_runtime.model.connection import ClientTls, Header
from kagent_runtime.model.strict import Component, Strict


class ModelParameters(Strict):
    """Sampling parameters; only those set are sent."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_completion_tokens: int | None = None
    reasoning_effort: str | None = None
    max_tokens: int | None = None
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    stop: list[str] | None = None


class ModelInfo(Strict):
    """What AutoGen wants to know of a model."""

    vision: bool
    function_calling: bool
    json_output: bool
    family: str
    structured_output: bool
    multiple_system_messages: bool


class AzureSettings(Strict):
    """What a call of Azure OpenAI names besides the model."""

    deployment: str
    api_version: str


class Pricing(Strict):
    """What tokens cost, in one currency."""

    input_per_million_tokens: float = Field(ge=0)
    output_per_million_tokens: float = Field(ge=0)
    currency: str = Field(pattern=r"^[A-Z]{3}$")


class ModelClientConfig(Strict):
    """Config of our own model client. The key is named by the variable that holds it."""

    name: str
    provider: Literal["OpenAI", "AzureOpenAI", "Anthropic", "Gemini", "Ollama", "OpenAICompatible"]
    model: str
    base_url: str
    api_key_env: str | None = None
    timeout_seconds: float = Field(gt=0)
    max_retries: int = Field(ge=0)
    parameters: ModelParameters
    model_info: ModelInfo
    azure: AzureSettings | None = None
    headers: list[Header] = Field(default_factory=list)
    tls: ClientTls | None = None
    extra_body: dict[str, Any] | None = None
    pricing: Pricing | None = None

    @model_validator(mode="after")
    def _names_its_deployment(self) -> Self:
        if (self.provider == "AzureOpenAI") != (self.azure is not None):
            raise PydanticCustomError("azure", "`azure` belongs to the provider AzureOpenAI, and has to be there")
        return self


class ModelComponent(Component):
    """A model."""

    provider: Literal["kagent_runtime.components.ModelClient"]
    component_type: Literal["model"]
    config: ModelClientConfig
