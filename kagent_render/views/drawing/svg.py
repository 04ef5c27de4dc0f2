"""A scene with places as SVG: no script, no font, nothing loaded; colours follow the reader's light or dark theme."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from kagent_render.reports.text import printable
from kagent_render.resolve import Graph
from kagent_render.views.drawing.layout import (
    BADGE,
    LINE,
    PAD,
    TEAM_HEAD,
    TEXT,
    TITLE,
    Layout,
    Route,
    badge_width,
    layout,
)
from kagent_render.views.drawing.legend import legend, legend_height
from kagent_render.views.drawing.scene import ARCS, Card, Container, cards_in, scene_of
from kagent_render.views.drawing.theme import STYLE

_ARROWS = ("handoff", "then", "if", "uses", "asks", "member")


def svg(graph: Graph) -> str:
    """A file of its own."""
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + inline_svg(graph)


def inline_svg(graph: Graph) -> str:
    """The drawing for a page."""
    placed = layout(scene_of(graph))
    kinds = [kind for kind in _ARROWS if any(route.wire.kind == kind for route in placed.routes)]
    below, width = legend(placed, kinds)
    width, height = max(placed.width, width), placed.height + legend_height(below)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="kagent" role="img" aria-labelledby="kagent-title kagent-desc" '
        f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}">',
        '<title id="kagent-title">Agents, and what they use</title>',
        f'<desc id="kagent-desc">{_text(_description(placed))}</desc>',
        f"<style>{STYLE}</style>",
        "<defs>",
        *(_arrow(kind) for kind in kinds),
        "</defs>",
        f'<rect class="page" width="{width:g}" height="{height:g}"/>',
        *_containers(placed.scene.workers),
        *(_wire(route) for route in placed.routes if route.wire.kind not in ARCS),
        *(line for card in _cards(placed) for line in _card(card)),
        *(_wire(route) for route in placed.routes if route.wire.kind in ARCS),
        *below,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _description(placed: Layout) -> str:
    """Every wire and team as a sentence, for those who do not see the drawing."""
    teams = [_members(item) for item in _teams(placed.scene.workers)]
    return ". ".join([*teams, *(route.wire.tip for route in placed.routes)]) + "."


def _members(team: Container) -> str:
    names = [(child.card if isinstance(child, Container) else child).title for child in team.children]
    return f"{team.card.title} is a {team.card.badge} of {', '.join(names)}"


def _teams(items: list[Card | Container]) -> Iterator[Container]:
    for item in items:
        if isinstance(item, Container):
            yield item
            yield from _teams(item.children)


def _text(text: str) -> str:
    return escape(printable(text), quote=True)


def _arrow(kind: str) -> str:
    return (
        f'<marker id="kagent-{kind}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path class="head {kind}" d="M0 0L8 4L0 8Z"/></marker>'
    )


def _containers(items: list[Card | Container]) -> Iterator[str]:
    for team in _teams(items):
        card = team.card
        yield f'<g class="team"><title>{_text(card.tip)}</title>'
        yield f'<rect x="{card.x:g}" y="{card.y:g}" width="{card.width:g}" height="{card.height:g}" rx="10"/>'
        yield from _title(card, card.y + TEAM_HEAD / 2 + TITLE * 0.36)
        yield "</g>"


def _cards(placed: Layout) -> Iterator[Card]:
    yield from placed.scene.models
    yield from (card for card in cards_in(placed.scene.workers) if card.look != "team")
    yield from placed.scene.tools


def _card(card: Card) -> Iterator[str]:
    yield f'<g class="card {card.look}"><title>{_text(card.tip)}</title>'
    yield f'<rect x="{card.x:g}" y="{card.y:g}" width="{card.width:g}" height="{card.height:g}" rx="7"/>'
    yield f'<path class="edge" d="M{card.x + 2:g} {card.y + 7:g}v{card.height - 14:g}"/>'
    yield from _title(card, card.y + PAD + TITLE * 0.85)
    for number, line in enumerate(card.lines):
        y = card.y + PAD + TITLE + 4 + LINE * number + TEXT
        yield f'<text class="text" x="{card.x + PAD:g}" y="{y:g}">{_text(line)}</text>'
    yield "</g>"


def _title(card: Card, baseline: float) -> Iterator[str]:
    width = badge_width(card)
    right = card.x + card.width - PAD + 4
    top = baseline - TITLE * 0.36 - 8
    yield f'<text class="title" x="{card.x + PAD:g}" y="{baseline:g}">{_text(card.title)}</text>'
    yield f'<rect class="pill" x="{right - width:g}" y="{top:g}" width="{width:g}" height="16" rx="8"/>'
    middle = baseline - TITLE * 0.36 + BADGE * 0.36
    yield f'<text class="badge" x="{right - width / 2:g}" y="{middle:g}">{_text(card.badge)}</text>'


def _wire(route: Route) -> str:
    kind = route.wire.kind
    tip = _text(route.wire.tip)
    return f'<path class="wire {kind}" d="{route.path}" marker-end="url(#kagent-{kind})"><title>{tip}</title></path>'
