"""Termination conditions, nested without limit."""

from typing import Annotated, Literal

from pydantic import Field

from kagent_runtime.model.strict import Component, Identifier, Strict


class TextMentionConfig(Strict):
    """Stop when one of the sources says the text."""

    text: str = Field(min_length=1)
    sources: list[Identifier] = Field(min_length=1)


class TextMention(Component):
    """Our own: AutoGen's loses `sources` (upstream PR #7933) and fires on the user's message."""

    provider: Literal["kagent_runtime.components.TextMention"]
    component_type: Literal["termination"]
    config: TextMentionConfig


class MaxMessageConfig(Strict):
    """Stop after a number of messages."""

    max_messages: int = Field(ge=1)
    include_agent_event: bool


class MaxMessage(Component):
    """AutoGen's MaxMessageTermination."""

    provider: Literal["autogen_agentchat.conditions.MaxMessageTermination"]
    component_type: Literal["termination"]
    config: MaxMessageConfig


class CombinedConfig(Strict):
    """Conditions of a condition."""

    conditions: list["Termination"] = Field(min_length=1)


class AnyOf(Component):
    """AutoGen's OrTerminationCondition."""

    provider: Literal["autogen_agentchat.base.OrTerminationCondition"]
    component_type: Literal["termination"]
    config: CombinedConfig


class AllOf(Component):
    """AutoGen's AndTerminationCondition."""

    provider: Literal["autogen_agentchat.base.AndTerminationCondition"]
    component_type: Literal["termination"]
    config: CombinedConfig


Termination = Annotated[TextMention | MaxMessage | AnyOf | AllOf, Field(discriminator="provider")]


for _model in (CombinedConfig, AnyOf, AllOf):
    _model.model_rebuild()
