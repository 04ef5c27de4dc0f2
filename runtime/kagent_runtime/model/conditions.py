"""Termination conditions, nested without limit."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

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
    """Stop after a number of messages of the sources."""

    max_messages: int = Field(ge=1)
    sources: list[Identifier] = Field(min_length=1)


class MaxMessage(Component):
    """Our own: AutoGen's counts the user's message, and in a nested team those of the outer one."""

    provider: Literal["kagent_runtime.components.MaxMessage"]
    component_type: Literal["termination"]
    config: MaxMessageConfig


class TokenUsageConfig(Strict):
    """Stop when the run has used as many tokens; no bound is no limit."""

    max_total_token: int | None = Field(default=None, ge=1)
    max_prompt_token: int | None = Field(default=None, ge=1)
    max_completion_token: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _has_bound(self) -> Self:
        if self.max_total_token is self.max_prompt_token is self.max_completion_token is None:
            raise ValueError("needs a bound")
        return self


class TokenUsage(Component):
    """Our own: AutoGen's does not see the calls of selectors and orchestrators."""

    provider: Literal["kagent_runtime.components.TokenUsage"]
    component_type: Literal["termination"]
    config: TokenUsageConfig


class TimeoutConfig(Strict):
    """Stop after a time."""

    seconds: int = Field(ge=1)


class Timeout(Component):
    """Our own: AutoGen's waits for the end of the turn, and its clock starts when it is loaded."""

    provider: Literal["kagent_runtime.components.Timeout"]
    component_type: Literal["termination"]
    config: TimeoutConfig


class HandoffConfig(Strict):
    """Stop when one of the sources hands over to the target."""

    target: Identifier
    sources: list[Identifier] = Field(min_length=1)


class HandoffCondition(Component):
    """Our own: AutoGen's fires on the handoff by which the user's message resumes a Swarm."""

    provider: Literal["kagent_runtime.components.Handoff"]
    component_type: Literal["termination"]
    config: HandoffConfig


class SourceMatchConfig(Strict):
    """Stop when one of the sources has answered."""

    sources: list[Identifier] = Field(min_length=1)


class SourceMatch(Component):
    """AutoGen's SourceMatchTermination."""

    provider: Literal["autogen_agentchat.conditions.SourceMatchTermination"]
    component_type: Literal["termination"]
    config: SourceMatchConfig


class TextMessageConfig(Strict):
    """Stop when one of the sources answers with text."""

    sources: list[Identifier] = Field(min_length=1)


class TextMessageCondition(Component):
    """Our own: AutoGen's fires on the user's message."""

    provider: Literal["kagent_runtime.components.TextMessage"]
    component_type: Literal["termination"]
    config: TextMessageConfig


class FunctionCallConfig(Strict):
    """Stop when a function was called."""

    function_name: str = Field(min_length=1)


class FunctionCall(Component):
    """AutoGen's FunctionCallTermination."""

    provider: Literal["autogen_agentchat.conditions.FunctionCallTermination"]
    component_type: Literal["termination"]
    config: FunctionCallConfig


class NoConfig(Strict):
    """Nothing to say."""


class StopMessageCondition(Component):
    """Our own: it names the nested team that has ended, and why."""

    provider: Literal["kagent_runtime.components.StopMessage"]
    component_type: Literal["termination"]
    config: NoConfig


class External(Component):
    """Our own: fired over HTTP."""

    provider: Literal["kagent_runtime.components.External"]
    component_type: Literal["termination"]
    config: NoConfig


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


Termination = Annotated[
    TextMention
    | MaxMessage
    | TokenUsage
    | Timeout
    | HandoffCondition
    | SourceMatch
    | TextMessageCondition
    | FunctionCall
    | StopMessageCondition
    | External
    | AnyOf
    | AllOf,
    Field(discriminator="provider"),
]


for _model in (CombinedConfig, AnyOf, AllOf):
    _model.model_rebuild()
