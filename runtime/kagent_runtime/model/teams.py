"""Team patterns. A participant is an agent or another team."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

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


class GraphEdge(Strict):
    """From the node to its target, when its message contains the condition."""

    target: Identifier
    condition: str | None = Field(default=None, min_length=1)
    activation_group: str = Field(min_length=1)
    activation_condition: Literal["all", "any"]


class GraphNode(Strict):
    """A participant of a graph."""

    name: Identifier
    edges: list[GraphEdge] = Field(default_factory=list)
    activation: Literal["all"]


class Graph(Strict):
    """AutoGen's DiGraph."""

    nodes: dict[Identifier, GraphNode] = Field(min_length=1)
    default_start_node: Identifier


class GraphFlowConfig(TeamConfig):
    """A graph chooses the speakers."""

    participants: list[AgentComponent] = Field(min_length=1)  # type: ignore[assignment]
    graph: Graph

    @model_validator(mode="after")
    def _names_participants(self) -> Self:
        known = {participant.config.name for participant in self.participants}
        named = {self.graph.default_start_node, *self.graph.nodes}
        named |= {edge.target for node in self.graph.nodes.values() for edge in node.edges}
        if named != known or any(key != node.name for key, node in self.graph.nodes.items()):
            raise ValueError("the nodes of the graph are not the participants")
        return self


class GraphFlow(Component):
    """Our own class over AutoGen's GraphFlow: it tells who speaks, and its conditions see all who spoke at once."""

    provider: Literal["kagent_runtime.components.GraphFlow"]
    component_type: Literal["team"]
    config: GraphFlowConfig


class MagenticOneConfig(TeamConfig):
    """An orchestrator chooses the speaker and writes the answer."""

    participants: list[AgentComponent] = Field(min_length=1)  # type: ignore[assignment]
    model_client: ModelComponent
    max_stalls: int = Field(ge=1)
    final_answer_prompt: str


class MagenticOne(Component):
    """Our own class over AutoGen's MagenticOneGroupChat: it remembers, and asks again for a malformed ledger."""

    provider: Literal["kagent_runtime.components.MagenticOne"]
    component_type: Literal["team"]
    config: MagenticOneConfig


Participant = Annotated[
    AgentComponent | RoundRobin | Selector | Swarm | GraphFlow | MagenticOne, Field(discriminator="provider")
]


for _model in (TeamConfig, SelectorConfig, RoundRobin, Selector, Swarm, GraphFlow, MagenticOne):
    _model.model_rebuild()
