"""What an agent knows besides its prompt and the conversation, and how much of the conversation its model sees."""

from typing import Annotated, Literal

from pydantic import Field

from kagent_render.catalog.fields import SpecModel, Text
from kagent_render.specs.base import ModelConfigReference


class ListMemory(SpecModel):
    """Facts that the model is told in every turn, after the system prompt."""

    type: Literal["List"]
    contents: list[Text] = Field(min_length=1, max_length=1000, description="The facts, in order.")


class VectorMemory(SpecModel):
    """Texts that are looked up by meaning: before every turn the model is told those nearest to the last message."""

    type: Literal["Vector"]
    model_config_ref: ModelConfigReference = Field(description="The ModelConfig of an embedding model.")
    contents: list[Text] = Field(
        min_length=1, max_length=2000, description="The texts; those over 2,000 characters are cut at paragraphs."
    )
    results: int = Field(default=4, ge=1, le=50, description="How many are told at most.")
    min_score: float = Field(default=0, ge=0, le=1, description="How near they have to be: cosine similarity.")


Memory = Annotated[ListMemory | VectorMemory, Field(discriminator="type")]


class UnboundedContext(SpecModel):
    """The model sees the whole conversation."""

    type: Literal["Unbounded"]


class BufferedContext(SpecModel):
    """The model sees the last messages, and always the task."""

    type: Literal["Buffered"]
    messages: int = Field(ge=1, le=10_000, description="Messages from the end; a tool call stays with its result.")


class HeadAndTailContext(SpecModel):
    """The model sees the first and the last messages, and how many were left out between them."""

    type: Literal["HeadAndTail"]
    head: int = Field(ge=1, le=10_000, description="Messages from the beginning.")
    tail: int = Field(ge=1, le=10_000, description="Messages from the end; a tool call stays with its result.")


Context = Annotated[UnboundedContext | BufferedContext | HeadAndTailContext, Field(discriminator="type")]
