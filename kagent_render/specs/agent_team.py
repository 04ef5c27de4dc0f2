"""Kind AgentTeam: agents that work on one task together."""

from typing import Literal

from pydantic import Field

from kagent_render.catalog.conditions.registry import TerminationCondition
from kagent_render.catalog.fields import ObjectName, SpecModel, Text
from kagent_render.specs.base import ModelConfigReference, WorkloadMetadata
from kagent_render.specs.limits import RunLimits
from kagent_render.specs.pod import WorkloadOverride


class MemberReference(SpecModel):
    """An Agent, or another AgentTeam."""

    name: ObjectName
    kind: Literal["Agent", "AgentTeam"] = "Agent"


class SelectorSettings(SpecModel):
    """How a Selector chooses."""

    model_config_ref: ModelConfigReference | None = Field(default=None, description="Default: the members' own.")
    prompt: Text | None = Field(default=None, description="Fields: {roles}, {participants}, {history}.")
    allow_repeated_speaker: bool = Field(default=False, description="Whether one may speak twice in a row.")


class AgentTeamSpec(SpecModel):
    """What a team is."""

    description: Text | None = None
    team_type: Literal["RoundRobin", "Selector", "Swarm"]
    agents: list[MemberReference] = Field(min_length=1)
    termination_condition: TerminationCondition | None = None
    max_turns: int | None = Field(default=None, ge=1, le=1000, description="Turns in one run; default 50.")
    selector: SelectorSettings | None = None
    limits: RunLimits = Field(default_factory=RunLimits, description="Bounds of a run, of all members together.")
    standalone: bool = Field(default=False, description="Its own workload although another team lists it.")
    workload: WorkloadOverride = Field(default_factory=WorkloadOverride)


class AgentTeam(SpecModel):
    """An AgentTeam document."""

    api_version: Literal["kagent.dev/v1alpha1"]
    kind: Literal["AgentTeam"]
    metadata: WorkloadMetadata
    spec: AgentTeamSpec
