"""Kind AgentTeam: agents that work on one task together."""

from typing import Literal

from pydantic import Field

from kagent_render.catalog.conditions.registry import TerminationCondition
from kagent_render.catalog.fields import ObjectName, SpecModel, Text
from kagent_render.specs.base import ModelConfigReference, WorkloadMetadata, WorkloadOverride


class MemberReference(SpecModel):
    """An Agent, or another AgentTeam."""

    name: ObjectName = Field(description="Its `metadata.name`.")
    kind: Literal["Agent", "AgentTeam"] = Field(default="Agent", description="Whether it is an agent or a team.")


class SelectorSettings(SpecModel):
    """How a Selector chooses."""

    model_config_ref: ModelConfigReference | None = Field(default=None, description="Default: the members' own.")
    prompt: Text | None = Field(default=None, description="Fields: {roles}, {participants}, {history}.")
    allow_repeated_speaker: bool = Field(default=False, description="Whether one may speak twice in a row.")


class AgentTeamSpec(SpecModel):
    """What a team is."""

    description: Text | None = Field(default=None, description="One line that people and other teams choose it by.")
    team_type: Literal["RoundRobin", "Selector", "Swarm"] = Field(description="Who speaks next, and who decides it.")
    agents: list[MemberReference] = Field(min_length=1, description="The members, in the order of their turns.")
    termination_condition: TerminationCondition | None = Field(default=None, description="When a run ends.")
    max_turns: int | None = Field(default=None, ge=1, le=1000, description="Turns in one run; default 50.")
    selector: SelectorSettings | None = Field(default=None, description="How a Selector chooses who speaks next.")
    standalone: bool = Field(default=False, description="Its own workload although another team lists it.")
    workload: WorkloadOverride = Field(
        default_factory=WorkloadOverride, description="What its workload has differently from the Platform's defaults."
    )


class AgentTeam(SpecModel):
    """Agents that work on one task together."""

    api_version: Literal["kagent.dev/v1alpha1"]
    kind: Literal["AgentTeam"]
    metadata: WorkloadMetadata
    spec: AgentTeamSpec
