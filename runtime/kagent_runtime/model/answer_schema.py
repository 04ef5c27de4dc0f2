"""The JSON Schema of what a server answers: as of an agent's answer, and open, since servers may say more."""

from typing import Literal

from pydantic import Field

from kagent_runtime.model.output_schema import Scalar, Text
from kagent_runtime.model.strict import Strict


class OpenArray(Strict):
    """Values of one form."""

    type: Literal["array"]
    description: str | None = None
    items: "AnswerSchema"


class OpenObject(Strict):
    """Named values, and perhaps others."""

    type: Literal["object"]
    description: str | None = None
    properties: dict[str, "AnswerSchema"] = Field(min_length=1)
    required: list[str]
    additionalProperties: Literal[True]


AnswerSchema = Text | Scalar | OpenArray | OpenObject

for _model in (OpenArray, OpenObject):
    _model.model_rebuild()
