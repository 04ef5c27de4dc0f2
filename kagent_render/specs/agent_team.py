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

    name: ObjectName = Field(description="Its `metadata.name`.")
    kind: Literal["Agent", "AgentTeam"] = Field(default="Agent", description="Whether it is an agent or a team.")


class SelectorSettings(SpecModel):
    """How a Selector chooses."""

    model_config_ref: ModelConfigReference | None = Field(default=None, description="Default: the members' own.")
    prompt: Text | None = Field(default=None, description="Fields: {roles}, {participants}, {history}.")
    allow_repeated_speaker: bool = Field(default=False, description="Whether one may speak twice in a row.")
    max_selector_attempts: int = Field(default=3, ge=1, le=10, description="Questions to the model for one choice.")


class GraphEdgeSettings(SpecModel):
    """One edge: after `from` has spoken, `to` may."""

    from_: ObjectName = Field(alias="from", description="A member.")
    to: ObjectName = Field(description="A member.")
    when: Text | None = Field(default=None, description="Text that the message of `from` must contain; case matters.")
    join: Literal["all", "any"] = Field(
        default="all", description="Whether `to` waits for all edges that lead to it, or starts at any one of them."
    )
    group: Text | None = Field(default=None, description="Edges into `to` that are joined; default all of them.")


class GraphSettings(SpecModel):
    """Who speaks after whom in a GraphFlow."""

    start: ObjectName | None = Field(default=None, description="Default: the only member no edge leads to.")
    edges: list[GraphEdgeSettings] = Field(min_length=1, description="From one member to another.")


class MagenticOneSettings(SpecModel):
    """How the orchestrator of a MagenticOne works."""

    model_config_ref: ModelConfigReference | None = Field(default=None, description="Default: the members' own.")
    max_stalls: int = Field(default=3, ge=1, le=20, description="Rounds without progress before it plans anew.")
    final_answer_prompt: Text | None = Field(default=None, description="Field: {task}, the user's request.")


class AgentTeamSpec(SpecModel):
    """What a team is."""

    description: Text | None = Field(default=None, description="One line that people and other teams choose it by.")
    team_type: Literal["RoundRobin", "Selector", "Swarm", "GraphFlow", "MagenticOne"] = Field(
        description="Who decides who speaks next: the order, a model, the agents, a graph, or an orchestrator."
    )
    agents: list[MemberReference] = Field(min_length=1, description="The members, in order.")
    termination_condition: TerminationCondition | None = Field(default=None, description="When a run stops.")
    max_turns: int | None = Field(default=None, ge=1, le=1000, description="Turns in one run; default 50.")
    selector: SelectorSettings | None = Field(default=None, description="Only with teamType: Selector.")
    graph: GraphSettings | None = Field(default=None, description="Only with teamType: GraphFlow.")
    magentic_one: MagenticOneSettings | None = Field(default=None, description="Only with teamType: MagenticOne.")
    limits: RunLimits = Field(default_factory=RunLimits, description="Bounds of a run, of all members together.")
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
