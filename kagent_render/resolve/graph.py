"""The resolved specs. A node holds its spec and its referents, never names to look up again."""

from __future__ import annotations

from dataclasses import dataclass, field

from kagent_render.catalog.base import Endpoint
from kagent_render.catalog.tools.base import ToolDeclaration
from kagent_render.source import Document
from kagent_render.specs.agent import AgentSpec
from kagent_render.specs.agent_team import AgentTeamSpec
from kagent_render.specs.base import Metadata
from kagent_render.specs.model_config import ModelConfigSpec
from kagent_render.specs.platform import PlatformSpec


@dataclass(frozen=True, slots=True)
class ModelNode:
    """A ModelConfig."""

    document: Document
    metadata: Metadata
    spec: ModelConfigSpec


@dataclass(slots=True)
class Asked:
    """The agent or team that a tool of type agent asks: found once all are linked, its address once all are placed."""

    node: AgentNode | TeamNode | None = None
    url: str = ""
    endpoint: Endpoint | None = None
    token_file: str | None = None


@dataclass(slots=True)
class Served:
    """Where the server of a tool runs, if it has a Deployment: its namespace is known once all are placed."""

    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class ToolNode:
    """A tool as granted: a Tool document, or a built-in (`document` and `metadata` None)."""

    type: str
    declaration: ToolDeclaration
    document: Document | None
    asked: Asked | None = None
    metadata: Metadata | None = None
    served: Served | None = None


@dataclass(frozen=True, slots=True)
class AgentNode:
    """An Agent with its model and tools. `handoffs` are names with their index in the spec.

    `memory_model` makes the vectors of its Vector memory.
    """

    document: Document
    metadata: Metadata
    spec: AgentSpec
    model: ModelNode
    tools: tuple[ToolNode, ...]
    memory_model: ModelNode | None = None


@dataclass(slots=True)
class TeamNode:
    """An AgentTeam with its members, in order."""

    document: Document
    metadata: Metadata
    spec: AgentTeamSpec
    members: list[AgentNode | TeamNode] = field(default_factory=list)
    selector_model: ModelNode | None = None
    orchestrator_model: ModelNode | None = None
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Graph:
    """Everything that resolved, sorted by namespace and name; of tools and models also those that nobody uses."""

    agents: tuple[AgentNode, ...]
    teams: tuple[TeamNode, ...]
    tools: tuple[ToolNode, ...]
    models: tuple[ModelNode, ...]
    platform: PlatformSpec
    platform_document: Document | None
    parents: dict[int, list[TeamNode]]

    def teams_of(self, node: AgentNode | TeamNode) -> list[TeamNode]:
        """The teams that list this agent or team themselves."""
        return self.parents.get(id(node), [])
