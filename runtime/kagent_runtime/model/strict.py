"""The strict base of every part of a RuntimeConfig, and the field types they share."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class Strict(BaseModel):
    """No unknown key, no coercion."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, protected_namespaces=())


class Component(Strict):
    """What every component has besides its provider, type and config."""

    version: Literal[1]
