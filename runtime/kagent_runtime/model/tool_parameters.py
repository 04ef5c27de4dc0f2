"""The arguments that every tool declares."""

from typing import Literal

from kagent_runtime.model.strict import Strict


class ToolParameter(Strict):
    """One argument of a tool, as a JSON Schema property."""

    type: Literal["string", "integer", "number", "boolean"]
    description: str
    enum: list[str] | None = None
    default: str | int | float | bool | None = None


class ToolParameters(Strict):
    """The arguments of a tool: a closed JSON Schema object."""

    type: Literal["object"]
    properties: dict[str, ToolParameter]
    required: list[str]
    additionalProperties: Literal[False]
