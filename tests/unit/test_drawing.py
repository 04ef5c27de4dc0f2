"""The drawing as geometry and as text: nothing overlaps, nothing leaves its box, everything of the graph is in it."""

from __future__ import annotations

import re
from itertools import combinations
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kagent_render.catalog.tools.registry import TOOL_TYPES
from kagent_render.compiler import compile_paths
from kagent_render.resolve import Graph
from kagent_render.views.drawing import theme
from kagent_render.views.drawing.layout import PAD, TEXT, TITLE, Layout, badge_width, layout
from kagent_render.views.drawing.page import page
from kagent_render.views.drawing.scene import Card, Container, cards_in, scene_of
from kagent_render.views.drawing.svg import svg
from kagent_render.views.drawing.text_width import shorten, text_width, wrap
from kagent_render.views.graph import drawing
from kagent_runtime.components import alertmanager_operations, github_changes
from tests.harness import CASES, EXAMPLES

SPECS = [CASES / "views" / "drawing" / "input", EXAMPLES / "incident-response", EXAMPLES / "quickstart"]
SPECS += [path / "input" for path in sorted((CASES / "build").iterdir()) if "environments" not in path.name]
NAME = "{http://www.w3.org/2000/svg}"


def _graph(path: object) -> Graph:
    compilation = compile_paths([str(path)], "default")
    assert not compilation.diagnostics.has_errors
    return compilation.graph


@pytest.fixture(params=SPECS, ids=lambda path: path.parent.name)
def graph(request: pytest.FixtureRequest) -> Graph:
    """The graph of every example and of every build case."""
    return _graph(request.param)


def _cards(placed: Layout) -> list[Card]:
    return [*placed.scene.models, *cards_in(placed.scene.workers), *placed.scene.tools]


def _overlap(one: Card, other: Card) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


def _contains(outer: Card, inner: Card) -> bool:
    return (
        outer.x < inner.x
        and outer.y < inner.y
        and inner.x + inner.width < outer.x + outer.width
        and inner.y + inner.height < outer.y + outer.height
    )


def test_boxes_overlap_only_where_a_team_holds_its_members(graph: Graph) -> None:
    """And everything is on the canvas."""
    placed = layout(scene_of(graph))
    cards = _cards(placed)
    for one, other in combinations(cards, 2):
        if _overlap(one, other):
            assert "team" in (one.look, other.look)
            assert _contains(one, other) or _contains(other, one), (one.title, other.title)
    page_card = Card("", "", "", "", "", "", width=placed.width, height=placed.height)
    assert all(_contains(page_card, card) for card in cards)


def test_members_are_inside_their_team(graph: Graph) -> None:
    """All the way down."""
    waiting = list(layout(scene_of(graph)).scene.workers)
    while waiting:
        item = waiting.pop()
        if isinstance(item, Container):
            boxes = [child.card if isinstance(child, Container) else child for child in item.children]
            assert all(_contains(item.card, box) for box in boxes)
            waiting += item.children


def test_no_text_is_wider_than_its_box(graph: Graph) -> None:
    """By the widths of a wide font; tests/cli looks at real ones."""
    for card in _cards(layout(scene_of(graph))):
        assert card.title
        assert text_width(card.title, TITLE, bold=True) + badge_width(card) <= card.width - 2 * PAD + 4
        assert all(text_width(line, TEXT) <= card.width - 2 * PAD for line in card.lines)


def test_every_vertex_and_edge_of_the_graph_is_drawn(graph: Graph) -> None:
    """A membership as a container, where there is one; else, and for everything else, an arrow."""
    vertices, edges = drawing(graph)
    scene = scene_of(graph)
    cards = [card.id for card in (*scene.models, *cards_in(scene.workers), *scene.tools)]
    assert sorted(cards) == sorted(vertex.id for vertex in vertices)
    held = set()
    waiting = list(scene.workers)
    while waiting:
        item = waiting.pop()
        if isinstance(item, Container):
            boxes = [child.card if isinstance(child, Container) else child for child in item.children]
            held |= {("member", item.card.id, box.id) for box in boxes}
            waiting += item.children
    drawn = {(wire.kind, wire.start, wire.end) for wire in scene.wires}
    assert not held & drawn
    assert held | drawn == {(edge.label, edge.start, edge.end) for edge in edges}


def test_the_svg_is_one_file_that_loads_and_runs_nothing(graph: Graph) -> None:
    """Well-formed; no script, no link, no font; the same bytes each time."""
    text = svg(graph)
    assert text == svg(graph)
    root = ElementTree.fromstring(text.encode())
    tags = {element.tag.removeprefix(NAME) for element in root.iter()}
    assert tags <= {"svg", "title", "desc", "style", "defs", "marker", "path", "rect", "g", "text"}
    names = {name for element in root.iter() for name in element.attrib}
    assert not {name for name in names if name.startswith("on") or name.endswith(("href", "src"))}
    assert not re.search(r"@import|@font-face|url\((?!#kagent-)", text)
    assert root.get("aria-labelledby") == "kagent-title kagent-desc"
    known = {element.get("id") for element in root.iter()}
    assert {"kagent-title", "kagent-desc"} <= known
    assert set(re.findall(r"url\(#([^)]+)\)", text)) <= known


def test_every_card_and_wire_says_what_it_is(graph: Graph) -> None:
    """In a `title`, which is a tooltip; and all of them in the description."""
    root = ElementTree.fromstring(svg(graph).encode())
    description = root.findtext(f"{NAME}desc") or ""
    for element in root.iter():
        look = (element.get("class") or "").split()
        if look[:1] == ["card"] or (look[:1] == ["wire"] and element.find(f"{NAME}title") is not None):
            assert element.findtext(f"{NAME}title")
    for route in layout(scene_of(graph)).routes:
        assert route.wire.tip in description


def test_hostile_text_stays_text() -> None:
    """A description is not markup, in neither form."""
    graph = _graph(SPECS[0])
    for text in (svg(graph), page(graph)):
        assert "<script" not in text
        assert "&lt;script&gt;" in text


def test_the_legend_explains_what_is_drawn_and_nothing_else() -> None:
    """One entry for each kind of arrow and of tool that occurs."""
    hard, simple = svg(_graph(SPECS[0])), svg(_graph(EXAMPLES / "quickstart"))
    for words in ("hands over to", "also has the member", "team, around its members"):
        assert f">{words}</text>" in hard
        assert f">{words}</text>" not in simple
    for words in ("uses", "asks", "tool that only reads"):
        assert f">{words}</text>" in hard
        assert f">{words}</text>" in simple
    assert "tool that may change something" not in hard + simple


def test_the_page_has_the_drawing_and_every_table() -> None:
    """And a policy under which it could load nothing even if it wanted to."""
    text = page(_graph(SPECS[0]))
    assert text.startswith("<!doctype html>")
    assert "default-src 'none'; style-src 'unsafe-inline'" in text
    assert [f'<h2 id="{kind}">' in text for kind in ("agents", "teams", "tools", "models")] == [True] * 4
    assert "6 agents, 3 teams, 4 tools, 3 models" in text
    assert "<svg" in text


def test_a_tool_that_is_said_to_read_can_do_nothing_else() -> None:
    """By its Role, its method and what the runtime previews, over every operation of every type."""
    graph = _graph(CASES / "build" / "tool-operations" / "input")
    lowered = [TOOL_TYPES[tool.type].lower(tool.declaration) for tool in graph.tools]
    assert {tool.type for tool in lowered} == set(TOOL_TYPES) - {"python"}
    for tool in lowered:
        verbs = {rule.verb for rule in tool.access} | {tool.config.get("method", "GET")}
        changes = alertmanager_operations.CHANGES.keys() | github_changes.CHANGES.keys()
        may_write = bool(verbs - {"get", "list", "GET", "HEAD"}) or tool.config.get("operation") in changes
        assert (tool.effect == "changes") == may_write, tool.name
    effects = {tool.type: {one.effect for one in lowered if one.type == tool.type} for tool in lowered}
    assert effects["http"] == {"reads", "changes"}
    assert effects["mcp"] == effects["agent"] == {"calls"}


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colours", [theme.LIGHT, theme.DARK_COLOURS], ids=["light", "dark"])
def test_texts_and_arrows_can_be_seen(colours: dict[str, str]) -> None:
    """WCAG 2.2: 4.5 to 1 for text, 3 to 1 for what is drawn."""
    for ground in ("page", "box", "team"):
        assert min(_contrast(colours[ink], colours[ground]) for ink in ("ink", "soft")) >= 4.5
    for pill in (*theme.LOOKS, "soft"):
        assert _contrast(colours["page"], colours[pill]) >= 4.5, pill
    for wire in ("wire", "agent", "model", "soft"):
        assert min(_contrast(colours[wire], colours[ground]) for ground in ("page", "team")) >= 3, wire


@given(st.text(max_size=200), st.floats(20, 400))
def test_a_shortened_text_fits_or_is_only_an_ellipsis(text: str, width: float) -> None:
    """And is the beginning of the text."""
    short = shorten(text, width, 13.0)
    assert text_width(short, 13.0) <= width
    assert short == text or text.startswith(short.removesuffix("…"))


@given(st.text(max_size=300), st.floats(40, 400), st.integers(1, 4))
def test_wrapped_lines_fit(text: str, width: float, most: int) -> None:
    """At most as many as asked for, with all the words unless the last line says that there is more."""
    lines = wrap(text, width, 11.0, most)
    assert len(lines) <= most
    assert all(text_width(line, 11.0) <= width for line in lines)
    if lines and not any(line.endswith("…") for line in lines):
        assert " ".join(lines).split() == text.split()
