"""The legend below the drawing: only what occurs in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kagent_render.views.drawing.layout import MARGIN, TEXT, Layout
from kagent_render.views.drawing.scene import cards_in
from kagent_render.views.drawing.text_width import text_width

_WIRES = {
    "handoff": "hands over to",
    "then": "goes on to",
    "if": "goes on to, on a condition",
    "uses": "uses",
    "asks": "asks",
    "member": "also has the member",
}
_EFFECTS = {
    "reads": "tool that only reads",
    "changes": "tool that may change something",
    "calls": "tool that calls out",
}
_ROW, _SAMPLE, _SPACE = 24.0, 34.0, 26.0


def legend(placed: Layout, kinds: Sequence[str]) -> tuple[list[str], float]:
    """Its lines, and how wide the drawing has to be for it."""
    entries = list(_entries(placed, kinds))
    lines = ['<g class="legend">']
    x, y, widest = MARGIN, placed.height + 10.0, 0.0
    for look, label, is_wire in entries:
        width = _SAMPLE + 8 + text_width(label, TEXT)
        if x > MARGIN and x + width > placed.width - MARGIN:
            x, y = MARGIN, y + _ROW
        lines.append(_sample(look, x, y, is_wire))
        lines.append(f'<text class="text" x="{x + _SAMPLE + 8:g}" y="{y + TEXT * 0.36:g}">{label}</text>')
        widest = max(widest, x + width + MARGIN)
        x += width + _SPACE
    return [*lines, "</g>"], widest


def legend_height(lines: Sequence[str]) -> float:
    """The room that its rows take."""
    rows = {line.rpartition('y="')[2].partition('"')[0] for line in lines if line.startswith("<text")}
    return len(rows) * _ROW + 8 if rows else 0.0


def _entries(placed: Layout, kinds: Sequence[str]) -> Iterator[tuple[str, str, bool]]:
    yield from ((kind, _WIRES[kind], True) for kind in kinds)
    if any(card.look == "team" for card in cards_in(placed.scene.workers)):
        yield "team", "team, around its members", False
    looks = {card.look for card in placed.scene.tools}
    yield from ((look, label, False) for look, label in _EFFECTS.items() if look in looks)


def _sample(look: str, x: float, y: float, is_wire: bool) -> str:
    if is_wire:
        return f'<path class="wire {look}" d="M{x:g} {y:g}h{_SAMPLE:g}" marker-end="url(#kagent-{look})"/>'
    if look == "team":
        return f'<g class="team"><rect x="{x:g}" y="{y - 8:g}" width="{_SAMPLE:g}" height="16" rx="5"/></g>'
    pill = f'x="{x + 10:g}" y="{y - 6:g}" width="{_SAMPLE - 10:g}" height="12" rx="6"'
    return f'<g class="{look}"><rect class="pill" {pill}/></g>'
