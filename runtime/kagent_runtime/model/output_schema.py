"""The JSON Schema of an agent's answer: a closed subset, and the model client that keeps to it."""

from typing import Literal

from pydantic import Field

from kagent_runtime.model.model_client import ModelComponent
from kagent_runtime.model.strict import Component, Strict


class Text(Strict):
    """A string, or one of some."""

    type: Literal["string"]
    description: str | None = None
    enum: list[str] | None = Field(default=None, min_length=1)


class Scalar(Strict):
    """A number or a truth value."""

    type: Literal["number", "integer", "boolean"]
    description: str | None = None


class Array(Strict):
    """Values of one form."""

    type: Literal["array"]
    description: str | None = None
    items: "Value"


class Object(Strict):
    """Named values, and no others."""

    type: Literal["object"]
    description: str | None = None
    properties: dict[str, "Value"] = Field(min_length=1)
    required: list[str]
    additionalProperties: Literal[False]


Value = Text | Scalar | Array | Object


class StructuredOutputConfig(Strict):
    """A model client whose final answers are JSON of this schema."""

    model_client: ModelComponent
    output_schema: Object


class StructuredOutputComponent(Component):
    """Our own: AutoGen's structured output fails in teams (upstream #6795)."""

    provider: Literal["kagent_runtime.components.StructuredOutput"]
    component_type: Literal["model"]
    config: StructuredOutputConfig


for _model in (Array, Object, StructuredOutputConfig, StructuredOutputComponent):
    _model.model_rebuild()
