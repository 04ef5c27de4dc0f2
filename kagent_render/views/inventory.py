"""What the specs define, as records: agents, teams, tools and models, for tables, descriptions and machines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from kagent_render.catalog.tools.base import ToolDeclaration
from kagent_render.catalog.tools.registry import BUILTIN_TOOLS, TOOL_TYPES
from kagent_render.lower.model import model_client
from kagent_render.resolve import AgentNode, Graph, ModelNode, TeamNode, ToolNode
from kagent_render.views import agents

_PLACES = {"Deployment": "a Deployment of its own", "Sidecar": "a sidecar of every agent that uses it"}
Record = dict[str, Any]
Node = AgentNode | TeamNode | ToolNode | ModelNode


def namespace_of(node: Node, default: str | None = None) -> str:
    """The namespace a document names, else `default`."""
    if isinstance(node, ToolNode):
        metadata = node.document.data.get("metadata") if node.document else None
        return (metadata or {}).get("namespace") or default or ""
    return node.metadata.namespace or default or ""


def name_of(node: Node) -> str:
    """The name that references use."""
    return node.declaration.name if isinstance(node, ToolNode) else node.metadata.name


def key(node: Node) -> tuple[str, str]:
    """Namespace and name; nodes of one kind with the same key are the same."""
    return (namespace_of(node), name_of(node))


def tools_of(graph: Graph) -> list[ToolNode]:
    """The Tools that documents define, and the built-in ones that none replaces for everybody."""
    found = {key(tool): tool for tool in graph.tools}
    for name, builtin in BUILTIN_TOOLS.items():
        found.setdefault(("", name), ToolNode(builtin.type, ToolDeclaration(name, None, None, None), None))
    return [found[place] for place in sorted(found)]


def roots_of(node: AgentNode | TeamNode, graph: Graph) -> list[AgentNode | TeamNode]:
    """The agents and teams whose workloads this one runs in; itself, if it runs on its own."""
    parents = graph.teams_of(node)
    found = {(type(root).__name__, key(root)): root for team in parents for root in roots_of(team, graph)}
    own: list[AgentNode | TeamNode] = [node] if node.spec.standalone or not parents else []
    return own + [found[place] for place in sorted(found)]


def handoffs_of(agent: AgentNode, graph: Graph) -> list[AgentNode]:
    """The agents it may hand over to, in any Swarm that lists it."""
    found: dict[tuple[str, str], AgentNode] = {}
    for team in graph.teams_of(agent):
        if team.spec.team_type == "Swarm":
            names = {name_of(member): member for member in team.members if isinstance(member, AgentNode)}
            found |= {key(names[item.name]): names[item.name] for item in agent.spec.handoffs if item.name in names}
    return list(found.values())


def model_in_words(model: ModelNode) -> str:
    """The model, its provider, endpoint and parameters."""
    return agents.model_in_words(model_client(model)["config"])


def tool_in_words(tool: ToolNode) -> str:
    """What it may do, where; and what is deployed for it."""
    lowered = TOOL_TYPES[tool.type].lower(tool.declaration)
    if lowered.server is None:
        return agents.tool_in_words(lowered.config)
    return f"{', '.join(lowered.offers)} of the image {lowered.server.image}, {_PLACES[placement_of(tool)]}"


def placement_of(tool: ToolNode) -> str:
    """Where the server of a tool runs: `Deployment`, `Sidecar`, or empty where none is deployed for it."""
    server = TOOL_TYPES[tool.type].lower(tool.declaration).server
    return "" if server is None else "Sidecar" if server.is_sidecar else "Deployment"


def locked_in_words(tool: ToolNode) -> list[str]:
    """What models are told of each tool of an MCP server that is locked."""
    locked = tool.declaration.locked or {}
    return [f"{name}: {locked[name].description or '(no description)'}" for name in sorted(locked)]


def tool_resources(tool: ToolNode) -> str:
    """The kinds of objects it may read, if its type has any."""
    config = TOOL_TYPES[tool.type].lower(tool.declaration).config
    return agents.kinds_in_words([*(config.get("resources") or ()), *(config.get("cluster_resources") or ())])


def tool_permissions(tool: ToolNode) -> list[str]:
    """What its token has to be allowed, if it has one of a kind that is told."""
    return list(TOOL_TYPES[tool.type].lower(tool.declaration).token_permissions)


def tool_description(tool: ToolNode) -> str:
    """What the model reads to decide when to call it."""
    name = tool.declaration.name
    return tool.declaration.description or (BUILTIN_TOOLS[name].summary if name in BUILTIN_TOOLS else "")


def users_of(node: ToolNode | ModelNode, graph: Graph) -> list[str]:
    """The names of the agents, and of the selecting teams, that use a tool or a model."""
    if isinstance(node, ToolNode):
        return [name_of(a) for a in graph.agents if any(key(t) == key(node) for t in a.tools)]
    models = [(agent, model) for agent in graph.agents for model in (agent.model, agent.memory_model) if model]
    found = list(dict.fromkeys(name_of(agent) for agent, model in models if key(model) == key(node)))
    asking = [(team, model) for team in graph.teams for model in (team.selector_model, team.orchestrator_model)]
    return found + [name_of(team) for team, model in asking if model and key(model) == key(node)]


def _agents(graph: Graph, default: str | None) -> Iterator[Record]:
    for node in graph.agents:
        yield {
            "namespace": namespace_of(node, default),
            "name": name_of(node),
            "model": name_of(node.model),
            "tools": [name_of(tool) for tool in node.tools],
            "handoffs": [name_of(target) for target in handoffs_of(node, graph)],
            "runsIn": _runs_in(node, graph),
            "description": node.spec.description,
        }


def _runs_in(node: AgentNode | TeamNode, graph: Graph) -> list[str]:
    return [name_of(root) for root in roots_of(node, graph)]


def _teams(graph: Graph, default: str | None) -> Iterator[Record]:
    for node in graph.teams:
        yield {
            "namespace": namespace_of(node, default),
            "name": name_of(node),
            "type": node.spec.team_type,
            "members": [name_of(member) for member in node.members],
            "maxTurns": node.spec.max_turns,
            "runsIn": _runs_in(node, graph),
            "description": node.spec.description or "",
        }


def _tools(graph: Graph, default: str | None) -> Iterator[Record]:
    for node in tools_of(graph):
        yield {
            "namespace": namespace_of(node),
            "name": name_of(node),
            "type": node.type,
            "builtIn": node.document is None,
            "usedBy": users_of(node, graph),
            "may": tool_in_words(node),
            "server": placement_of(node) or None,
            "description": tool_description(node),
        }


def _models(graph: Graph, default: str | None) -> Iterator[Record]:
    for node in graph.models:
        config, secret = model_client(node)["config"], node.spec.api_key_secret_ref
        yield {
            "namespace": namespace_of(node),
            "name": name_of(node),
            "provider": config["provider"],
            "model": config["model"],
            "baseUrl": config["base_url"],
            "secret": f"{secret.name}/{secret.key}" if secret else None,
            "usedBy": users_of(node, graph),
        }


_RECORDS: dict[str, Callable[[Graph, str | None], Iterable[Record]]] = {
    "agents": _agents,
    "teams": _teams,
    "tools": _tools,
    "models": _models,
}
KINDS = tuple(_RECORDS)
# What a table shows; JSON has every field.
_COLUMNS = {
    "agents": ("namespace", "name", "model", "tools", "handoffs", "runsIn"),
    "teams": ("namespace", "name", "type", "members", "maxTurns", "runsIn"),
    "tools": ("namespace", "name", "type", "usedBy", "may"),
    "models": ("namespace", "name", "provider", "model", "baseUrl", "secret", "usedBy"),
}
_HEADINGS = {"runsIn": "RUNS IN", "maxTurns": "MAX TURNS", "usedBy": "USED BY", "baseUrl": "BASE URL"}


def records(kind: str, graph: Graph, default_namespace: str | None) -> list[Record]:
    """Every one of a kind; `default_namespace` is for agents and teams whose document names none."""
    return list(_RECORDS[kind](graph, default_namespace or graph.platform.namespace))


def table(kind: str, found: Iterable[Record]) -> list[list[str]]:
    """The records as cells, under their headings."""
    columns = _COLUMNS[kind]
    rows = [[_cell(record[column]) for column in columns] for record in found]
    return [[_HEADINGS.get(column, column.upper()) for column in columns], *rows]


def _cell(value: Any) -> str:
    text = ",".join(value) if isinstance(value, list) else str(value if value is not None else "")
    return text or "-"
