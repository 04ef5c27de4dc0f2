"""Places for a scene: models on the left, teams and agents in the middle, tools on the right, so that no wire crosses
a column. Tools and models stand in the order of the agents that use them (the barycenter rule of layered drawings).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

from kagent_render.views.drawing.scene import ARCS, Card, Container, Scene, Wire, cards_in
from kagent_render.views.drawing.text_width import shorten, text_width, wrap

TITLE, TEXT, BADGE = 13.0, 11.0, 10.0
PAD, LINE, HEAD = 12.0, 15.0, 22.0
MARGIN, GAP, COLUMN_GAP = 24.0, 14.0, 110.0
_WIDEST, _NARROWEST, _LINES = 250.0, 150.0, 3
TEAM_HEAD, _TEAM_PAD, _LANE = 34.0, 16.0, 12.0


@dataclass(frozen=True, slots=True)
class Route:
    """A wire with its path, in SVG's words."""

    wire: Wire
    path: str


@dataclass(frozen=True, slots=True)
class Layout:
    """A scene with places."""

    scene: Scene
    routes: list[Route]
    width: float
    height: float


def layout(scene: Scene) -> Layout:
    """Give every card its size and place, and every wire its path."""
    agents = [card for card in cards_in(scene.workers) if card.look != "team"]
    for column in (scene.models, agents, scene.tools):
        _size(column)
    for item in scene.workers:
        _size_team(item, scene)
    x = _place_workers(scene, MARGIN + _reserved(scene.models))
    x = max(x, MARGIN) + (COLUMN_GAP if scene.tools else 0.0)
    height = max((card.y + card.height for card in cards_in(scene.workers)), default=MARGIN)
    centers = {card.id: card.y + card.height / 2 for card in cards_in(scene.workers)}
    height = max(
        height, *(_place_used(c, at, scene.wires, centers) for c, at in ((scene.models, MARGIN), (scene.tools, x)))
    )
    width = x + max((card.width for card in scene.tools), default=0.0) + MARGIN
    cards = {card.id: card for card in (*scene.models, *cards_in(scene.workers), *scene.tools)}
    sides = _sides(scene)
    return Layout(scene, [Route(wire, _path(wire, cards, sides)) for wire in scene.wires], width, height + MARGIN)


def _reserved(models: Sequence[Card]) -> float:
    return max(card.width for card in models) + COLUMN_GAP if models else 0.0


def _size(column: Sequence[Card]) -> None:
    """Cards of a column are as wide as the widest needs to be, within bounds; what does not fit is cut."""
    if not column:
        return
    needed = max(_needed(card) for card in column)
    width = min(_WIDEST, max(_NARROWEST, needed))
    for card in column:
        card.width = ceil(width)
        room = card.width - 2 * PAD
        card.title = shorten(card.title, room - _badge_width(card), TITLE, bold=True)
        card.lines = wrap(card.text, room, TEXT, _LINES)
        card.height = 2 * PAD + TITLE + 4 + LINE * len(card.lines)


def _needed(card: Card) -> float:
    title = text_width(card.title, TITLE, bold=True) + _badge_width(card)
    return 2 * PAD + max(title, min(text_width(card.text, TEXT), _WIDEST - 2 * PAD))


def _badge_width(card: Card) -> float:
    return badge_width(card) + 8


def badge_width(card: Card) -> float:
    """The width of the pill around a badge."""
    return text_width(card.badge, BADGE) + 12


def _lane(team: Container, scene: Scene) -> float:
    """Room on the left of a team's members for the arcs between them."""
    members = {_box(child).id for child in team.children}
    count = sum(wire.kind in ARCS and wire.start in members for wire in scene.wires)
    return min(64.0, 28.0 + _LANE * count / 2) if count else 0.0


def _size_team(item: Card | Container, scene: Scene) -> None:
    if not isinstance(item, Container):
        return
    for child in item.children:
        _size_team(child, scene)
    boxes = [_box(child) for child in item.children]
    card = item.card
    head = text_width(card.title, TITLE, bold=True) + _badge_width(card) + 2 * PAD
    inner = max((box.width for box in boxes), default=_NARROWEST)
    card.width = ceil(inner + 2 * _TEAM_PAD + _lane(item, scene))
    if head > card.width:
        card.width = ceil(min(head, card.width + 120))
        card.title = shorten(card.title, card.width - 2 * PAD - _badge_width(card), TITLE, bold=True)
    card.height = TEAM_HEAD + sum(box.height + GAP for box in boxes) + _TEAM_PAD - GAP * bool(boxes)


def _box(item: Card | Container) -> Card:
    return item.card if isinstance(item, Container) else item


def _place_workers(scene: Scene, x: float) -> float:
    y = MARGIN
    for item in scene.workers:
        _place(item, x, y, scene)
        y += _box(item).height + GAP * 2
    return max((_box(item).x + _box(item).width for item in scene.workers), default=x)


def _place(item: Card | Container, x: float, y: float, scene: Scene) -> None:
    box = _box(item)
    box.x, box.y = x, y
    if isinstance(item, Container):
        x, y = x + _TEAM_PAD + _lane(item, scene), y + TEAM_HEAD
        for child in item.children:
            _place(child, x, y, scene)
            y += _box(child).height + GAP


def _place_used(column: list[Card], x: float, wires: Iterable[Wire], centers: dict[str, float]) -> float:
    """Stack a column by the average height of its users, about their middle; return its end."""
    users: dict[str, list[float]] = {card.id: [] for card in column}
    for wire in wires:
        if wire.end in users:
            users[wire.end].append(centers[wire.start])
    bottom = max(centers.values(), default=0.0)
    averages = {place: sum(values) / len(values) if values else bottom for place, values in users.items()}
    column.sort(key=lambda card: averages[card.id])
    total = sum(card.height + GAP for card in column) - GAP
    middle = sum(averages.values()) / len(averages) if averages else 0.0
    y = max(MARGIN, middle - total / 2)
    for card in column:
        card.x, card.y = x, round(y)
        y += card.height + GAP
    return y - GAP if column else 0.0


def _sides(scene: Scene) -> tuple[float, float]:
    """Where the middle column begins and ends."""
    boxes = [_box(item) for item in scene.workers]
    return min((box.x for box in boxes), default=0.0), max((box.x + box.width for box in boxes), default=0.0)


def _path(wire: Wire, cards: dict[str, Card], sides: tuple[float, float]) -> str:
    start, end = cards[wire.start], cards[wire.end]
    if wire.kind in ARCS:
        return _arc(start, end)
    y1 = start.y + (TEAM_HEAD / 2 if start.look == "team" else start.height / 2)
    y2 = end.y + end.height / 2
    is_left = end.x < start.x
    x1, x2 = (start.x, end.x + end.width) if is_left else (start.x + start.width, end.x)
    side = sides[0] if is_left else sides[1]  # straight out of the column first: below a wider box it would hide
    bend = COLUMN_GAP * (-0.55 if is_left else 0.55)
    return f"M{x1:g} {y1:g}H{side:g}C{side + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}"


def _arc(start: Card, end: Card) -> str:
    """On the left of the members; the way back runs within the way there."""
    shift = 7.0 if end.y > start.y else -15.0
    y1 = start.y + (TEAM_HEAD / 2 if start.look == "team" else start.height / 2 + shift)
    y2 = end.y + (TEAM_HEAD / 2 if end.look == "team" else end.height / 2 - shift)
    x1, x2 = start.x, end.x
    bulge = min(60.0, (22.0 if shift > 0 else 8.0) + abs(y2 - y1) * 0.16)
    reach = min(x1, x2) - bulge
    return f"M{x1:g} {y1:g}C{reach:g} {y1:g} {reach:g} {y2:g} {x2:g} {y2:g}"
