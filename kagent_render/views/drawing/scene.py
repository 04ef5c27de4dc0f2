"""What is drawn, before it has a place: cards for agents, tools and models, containers for teams, wires."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kagent_render.catalog.tools.registry import TOOL_TYPES
from kagent_render.resolve import AgentNode, Graph, ModelNode, TeamNode
from kagent_render.views.graph import distinct_nodes, drawing, place_of
from kagent_render.views.inventory import (
    Node,
    model_in_words,
    name_of,
    namespace_of,
    placement_of,
    tool_description,
    tool_in_words,
)


@dataclass(slots=True)
class Card:
    """A box: `look` chooses its colour, `badge` says in a word what it is, `text` is wrapped, `tip` is all of it."""

    id: str
    look: str
    badge: str
    title: str
    text: str
    tip: str
    lines: list[str] = field(default_factory=list)
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0


@dataclass(slots=True)
class Container:
    """A team, around the cards and containers of its members."""

    card: Card
    children: list[Card | Container]


@dataclass(frozen=True, slots=True)
class Wire:
    """An arrow between the ids of two cards."""

    kind: str
    start: str
    end: str
    tip: str


@dataclass(frozen=True, slots=True)
class Scene:
    """The three columns, and the wires; a membership that a container shows has none."""

    models: list[Card]
    workers: list[Card | Container]
    tools: list[Card]
    wires: list[Wire]


def scene_of(graph: Graph) -> Scene:
    """Everything that is drawn of a graph, in a stable order."""
    vertices, edges = drawing(graph)
    cards = {place_of(node): _card(v.id, node) for node, v in zip(distinct_nodes(graph), vertices, strict=True)}
    teams_of: dict[str, str] = {}
    nested = {place_of(member) for team in graph.teams for member in team.members}
    workers = [_worker(team, cards, teams_of) for team in graph.teams if place_of(team) not in nested]
    workers += [card for card in cards.values() if card.look == "agent" and card.id not in teams_of]
    titles = {card.id: card.title for card in cards.values()}
    wires = [
        Wire(edge.label, edge.start, edge.end, f"{titles[edge.start]} {_VERBS[edge.label]} {titles[edge.end]}")
        for edge in edges
        if edge.label != "member" or teams_of.get(edge.end) != edge.start
    ]
    models = [card for (kind, *_), card in cards.items() if kind == "model"]
    return Scene(models, workers, [card for (kind, *_), card in cards.items() if kind == "tool"], wires)


_VERBS = {
    "member": "has the member",
    "handoff": "hands over to",
    "then": "goes on to",
    "if": "may go on to",
    "uses": "uses",
    "asks": "asks",
}
ARCS = frozenset({"member", "handoff", "then", "if"})  # within the middle column


def _worker(
    node: TeamNode | AgentNode, cards: dict[tuple[str, str, str], Card], teams_of: dict[str, str]
) -> Card | Container:
    """A team with the members that no other team holds already: what has two teams is drawn in the first."""
    card = cards[place_of(node)]
    if not isinstance(node, TeamNode):
        return card
    children = []
    for member in node.members:
        if cards[place_of(member)].id not in teams_of:
            teams_of[cards[place_of(member)].id] = card.id
            children.append(_worker(member, cards, teams_of))
    return Container(card, children)


def _card(place: str, node: Node) -> Card:
    title, namespace = name_of(node), namespace_of(node)
    if isinstance(node, TeamNode):
        text = node.spec.description or ""
        card = Card(place, "team", node.spec.team_type, title, text, text)
    elif isinstance(node, AgentNode):
        card = Card(place, "agent", "agent", title, node.spec.description, node.spec.description)
    elif isinstance(node, ModelNode):
        card = Card(place, "model", "model", title, node.spec.model, model_in_words(node))
    else:
        effect = TOOL_TYPES[node.type].lower(node.declaration).effect
        badge = " · ".join(filter(None, (effect, placement_of(node).lower())))
        card = Card(place, effect, badge, title, tool_in_words(node), tool_description(node))
    card.tip = " · ".join(part for part in (f"{namespace}/{title}" if namespace else title, card.tip) if part)
    return card


def cards_in(items: list[Card | Container]) -> Iterator[Card]:
    """Every card of a column, those of containers included."""
    for item in items:
        if isinstance(item, Container):
            yield item.card
            yield from cards_in(item.children)
        else:
            yield item
