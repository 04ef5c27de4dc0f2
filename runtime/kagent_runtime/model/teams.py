"""Team patterns. A participant is an agent or another team."""

from typing import Annotated, Literal

from pydantic import Field

from kagent_runtime.model.agents import AgentComponent
from kagent_runtime.model.conditions import Termination
from kagent_runtime.model.model_client import ModelComponent
from kagent_runtime.model.strict import Component, Identifier, Strict


class TeamConfig(Strict):
    """What every team has."""

    name: Identifier
    description: str
    participants: list["Participant"] = Field(min_length=1)
    termination_condition: Termination | None = None
    max_turns: int = Field(ge=1)


class RoundRobin(Component):
    """AutoGen's RoundRobinGroupChat."""

    provider: Literal["autogen_agentchat.teams.RoundRobinGroupChat"]
    component_type: Literal["team"]
    config: TeamConfig


class SelectorConfig(TeamConfig):
    """A model chooses the speaker."""

    participants: list["Participant"] = Field(min_length=2)
    model_client: ModelComponent
    selector_prompt: str
    allow_repeated_speaker: bool
    max_selector_attempts: int = Field(ge=1)


class Selector(Component):
    """AutoGen's SelectorGroupChat."""

    provider: Literal["autogen_agentchat.teams.SelectorGroupChat"]
    component_type: Literal["team"]
    config: SelectorConfig


class Swarm(Component):
    """AutoGen's Swarm."""

    provider: Literal["autogen_agentchat.teams.Swarm"]
    component_type: Literal["team"]
    config: TeamConfig


Participant = Annotated[AgentComponent | RoundRobin | Selector | Swarm, Field(discriminator="provider")]


for _model in (TeamConfig, SelectorConfig, RoundRobin, Selector, Swarm):
    _model.model_rebuild()
