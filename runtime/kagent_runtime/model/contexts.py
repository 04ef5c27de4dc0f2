"""The registry of model contexts and memories: what an agent's model sees of its past, and what it always knows."""

from typing import Annotated, Literal

from pydantic import Field

from kagent_runtime.model.model_client import ModelComponent
from kagent_runtime.model.strict import Component, Strict


class BufferedContextConfig(Strict):
    """The last messages, and the task."""

    messages: int = Field(ge=1)


class BufferedContextComponent(Component):
    """Our own: AutoGen's drops the task, and results whose call is just outside."""

    provider: Literal["kagent_runtime.components.BufferedContext"]
    component_type: Literal["chat_completion_context"]
    config: BufferedContextConfig


class HeadAndTailContextConfig(Strict):
    """The first and the last messages."""

    head: int = Field(ge=1)
    tail: int = Field(ge=1)


class HeadAndTailContextComponent(Component):
    """Our own: AutoGen's drops results whose call is just outside."""

    provider: Literal["kagent_runtime.components.HeadAndTailContext"]
    component_type: Literal["chat_completion_context"]
    config: HeadAndTailContextConfig


class ListMemoryConfig(Strict):
    """Facts, in order."""

    contents: list[str] = Field(min_length=1)


class ListMemoryComponent(Component):
    """Our own: AutoGen's adds its contents to the conversation again in every turn."""

    provider: Literal["kagent_runtime.components.ListMemory"]
    component_type: Literal["memory"]
    config: ListMemoryConfig


ModelContext = Annotated[BufferedContextComponent | HeadAndTailContextComponent, Field(discriminator="provider")]


class VectorMemoryConfig(Strict):
    """Texts that are looked up by meaning, the model of their vectors, how many and how near ones are found."""

    model_client: ModelComponent
    contents: list[str] = Field(min_length=1)
    results: int = Field(ge=1, le=50)
    min_score: float = Field(ge=0, le=1)


class VectorMemoryComponent(Component):
    """Our own: AutoGen's adds what it finds to the conversation for good."""

    provider: Literal["kagent_runtime.components.VectorMemory"]
    component_type: Literal["memory"]
    config: VectorMemoryConfig


Memory = Annotated[ListMemoryComponent | VectorMemoryComponent, Field(discriminator="provider")]
