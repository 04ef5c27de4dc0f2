"""The arguments that every tool declares."""

from typing import Literal, Self

from pydantic import Field, model_validator

from kagent_runtime.model.strict import Strict


class ToolParameter(Strict):
    """One argument of a tool, as a JSON Schema property. A list says what its items are."""

    type: Literal["string", "integer", "number", "boolean", "array"]
    description: str
    enum: list[str] | None = None
    default: str | int | float | bool | None = None
    items: "ToolParameters | None" = None
    minItems: int | None = Field(default=None, ge=0)
    maxItems: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _only_lists_have_items(self) -> Self:
        if (self.items is not None) != (self.type == "array"):
            raise ValueError("`items` is for an array, which needs it")
        return self


class ToolParameters(Strict):
    """The arguments of a tool: a closed JSON Schema object."""

    type: Literal["object"]
    properties: dict[str, ToolParameter]
    required: list[str]
    additionalProperties: Literal[False]
