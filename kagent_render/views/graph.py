"""The graph of agents, teams, tools and models, as Mermaid or Graphviz text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kagent_render.reports.text import printable
from kagent_render.resolve import AgentNode, Graph, ModelNode, TeamNode, ToolNode
from kagent_render.views.inventory import Node, handoffs_of, key, name_of, placement_of

_KINDS: dict[type, str] = {TeamNode: "team", AgentNode: "agent", ToolNode: "tool", ModelNode: "model"}


@dataclass(frozen=True, slots=True)
class Vertex:
    """A node of the drawing; `id` is safe in both languages."""

    id: str
    kind: str
    label: str


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow between the ids of two vertices."""

    start: str
    end: str
    label: str


def drawing(graph: Graph) -> tuple[list[Vertex], list[Edge]]:
    """Teams, agents, the tools and models that are defined or used, and what connects them; in a stable order."""
    ids: dict[tuple[str, str, str], Vertex] = {}
    for node in distinct_nodes(graph):
        kind = _KINDS[type(node)]
        number = sum(vertex.kind == kind for vertex in ids.values()) + 1
        ids[place_of(node)] = Vertex(f"{kind}{number}", kind, _label(node))
    edges = [Edge(ids[place_of(start)].id, ids[place_of(end)].id, label) for start, end, label in _edges(graph)]
    return list(ids.values()), edges


def distinct_nodes(graph: Graph) -> list[Node]:
    """The nodes of the drawing, each once, in its order."""
    return list({place_of(node): node for node in _nodes(graph)}.values())


def place_of(node: Node) -> tuple[str, str, str]:
    """Kind, namespace and name: what a node is told apart by."""
    return (_KINDS[type(node)], *key(node))


def _nodes(graph: Graph) -> Iterator[Node]:
    yield from graph.teams
    yield from graph.agents
    used = {key(tool): tool for agent in graph.agents for tool in agent.tools} | {key(t): t for t in graph.tools}
    yield from (used[place] for place in sorted(used))
    yield from graph.models


def _label(node: Node) -> str:
    if isinstance(node, ModelNode):
        return f"{name_of(node)}: {node.spec.model}"
    if isinstance(node, ToolNode) and (placement := placement_of(node)):
        return f"{name_of(node)} ({placement})"
    return f"{name_of(node)} ({node.spec.team_type})" if isinstance(node, TeamNode) else name_of(node)


def _edges(graph: Graph) -> Iterator[tuple[Node, Node, str]]:
    for team in graph.teams:
        yield from _team_edges(team)
    for agent in graph.agents:
        for target in handoffs_of(agent, graph):
            yield agent, target, "handoff"
        for tool in agent.tools:
            yield agent, tool, "uses"
        yield agent, agent.model, "asks"
        if agent.memory_model:
            yield agent, agent.memory_model, "asks"


def _team_edges(team: TeamNode) -> Iterator[tuple[Node, Node, str]]:
    members = {member.metadata.name: member for member in team.members}
    yield from ((team, member, "member") for member in team.members)
    yield from ((team, model, "asks") for model in (team.selector_model, team.orchestrator_model) if model)
    for edge in team.spec.graph.edges if team.spec.graph else ():
        if edge.from_ in members and edge.to in members:
            yield members[edge.from_], members[edge.to], "if" if edge.when else "then"


_MERMAID = {"team": ("[[", "]]"), "agent": ("[", "]"), "tool": ("([", "])"), "model": ("[(", ")]")}
_DOT = {"team": "box3d", "agent": "box", "tool": "ellipse", "model": "cylinder"}


def mermaid(graph: Graph) -> str:
    """A Mermaid flowchart, as GitHub renders it in Markdown."""
    vertices, edges = drawing(graph)
    lines = ["flowchart LR"]
    for vertex in vertices:
        left, right = _MERMAID[vertex.kind]
        lines.append(f'  {vertex.id}{left}"{_entities(vertex.label)}"{right}')
    lines += [f"  {edge.start} -->|{edge.label}| {edge.end}" for edge in edges]
    return "\n".join(lines) + "\n"


def _entities(text: str) -> str:
    # Mermaid reads a label as HTML and Markdown: every character that could mean something is given by number.
    return re.sub(r"[^\w .,:()/-]", lambda match: f"#{ord(match[0])};", printable(text))


def dot(graph: Graph) -> str:
    """A Graphviz digraph."""
    vertices, edges = drawing(graph)
    lines = ["digraph kagent {", "  rankdir=LR;"]
    lines += [f"  {item.id} [shape={_DOT[item.kind]}, label={_quoted(item.label)}];" for item in vertices]
    lines += [f"  {edge.start} -> {edge.end} [label={_quoted(edge.label)}];" for edge in edges]
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    return '"' + printable(text).replace("\\", "\\\\").replace('"', '\\"') + '"'
