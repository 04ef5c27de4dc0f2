"""GraphFlow: edges say who speaks after whom, in parallel, on a condition, or in a loop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kagent_render.catalog.base import Component, GraphEdge, Problem, Team, component
from kagent_render.catalog.teams import graph_checks

NAME = "GraphFlow"


def check(team: Team) -> Iterator[Problem]:
    """All that AutoGen finds when the first message arrives, and what it never finds: members that cannot start."""
    for index, member in enumerate(team.members):
        if not member.is_agent:
            message = f"`{member.name}` is a team; a GraphFlow has agents only"
            yield Problem("KR311", message, ("agents", index), "list its agents here, with edges between them")
    if team.edges is None:
        help = "add graph: {edges: [{from: …, to: …}]}"
        yield Problem("KR102", "the field `graph` is missing", ("teamType",), help)
        return
    yield from graph_checks.check(team, team.edges)


def lower(team: Team) -> Component:
    """The runtime's class over AutoGen's GraphFlow, whose conditions miss what is said in parallel."""
    names, edges = [member.name for member in team.members], team.edges or ()
    ids = dict(zip(names, team.member_ids, strict=True))
    start = team.start or next(iter(graph_checks.roots(names, edges)), names[0])
    nodes = {id: _node(id, [edge for edge in edges if edge.start == name], ids) for name, id in ids.items()}
    graph = {"nodes": nodes, "default_start_node": ids[start]}
    return component("kagent_runtime.components.GraphFlow", "team", team.shared_config() | {"graph": graph})


def _node(id: str, edges: list[GraphEdge], ids: dict[str, str]) -> dict[str, Any]:
    lowered = [_edge(edge, ids[edge.end]) for edge in edges]
    return {"name": id, "edges": lowered, "activation": "all"} if lowered else {"name": id, "activation": "all"}


def _edge(edge: GraphEdge, target: str) -> dict[str, str]:
    condition = {"condition": edge.when} if edge.when else {}
    group = {"activation_group": edge.group or target, "activation_condition": edge.join}
    return {"target": target} | condition | group
