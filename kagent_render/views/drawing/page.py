"""The drawing and the inventory as one page of HTML that loads nothing and runs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from kagent_render.reports.text import printable
from kagent_render.resolve import Graph
from kagent_render.views.drawing.svg import inline_svg
from kagent_render.views.drawing.theme import FONT
from kagent_render.views.inventory import KINDS, Record, records, table

_STYLE = f"""
:root{{color-scheme:light dark;--page:#fff;--ink:#152033;--soft:#4c5a70;--line:#d8dfe9;--head:#f3f6fb}}
@media (prefers-color-scheme:dark){{:root{{--page:#0f1520;--ink:#e8edf5;--soft:#a9b6c9;--line:#34425a;--head:#141c29}}}}
body{{margin:0 auto;max-width:80rem;padding:1.5rem;background:var(--page);color:var(--ink);font:15px/1.5 {FONT}}}
h1{{font-size:1.35rem;margin:0 0 .25rem}}
h2{{font-size:1.05rem;margin:2rem 0 .5rem}}
p{{color:var(--soft);margin:0 0 1rem}}
figure{{margin:0;overflow-x:auto}}
figure svg{{display:block;margin:0 auto;height:auto;max-width:100%;min-width:40rem}}
.scroll{{overflow-x:auto}}
table{{border-collapse:collapse;width:100%;font-size:.87rem}}
th,td{{text-align:left;vertical-align:top;padding:.4rem .75rem .4rem 0;border-bottom:1px solid var(--line)}}
th{{color:var(--soft);font-weight:600;white-space:nowrap}}
td{{overflow-wrap:anywhere;min-width:5rem}}
@media print{{body{{max-width:none;padding:0}}}}
"""


def page(graph: Graph) -> str:
    """The whole page."""
    counts = [_count(len(_shown(kind, graph)), kind) for kind in KINDS]
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
            """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">""",
            f"<title>Agents</title><style>{_STYLE.strip()}</style></head>",
            "<body><main>",
            f"<h1>Agents</h1><p>{', '.join(counts)}, compiled from the specs by kagent-render.</p>",
            f'<figure tabindex="0" aria-label="Drawing; the tables below say the same">{inline_svg(graph)}</figure>',
            *(line for kind in KINDS for line in _table(kind, graph)),
            "</main></body></html>",
            "",
        ]
    )


def _count(number: int, kind: str) -> str:
    return f"{number} {kind.removesuffix('s') if number == 1 else kind}"


def _shown(kind: str, graph: Graph) -> list[Record]:
    """Without the built-in tools that nobody uses: they are the same in every repository."""
    return [item for item in records(kind, graph, None) if item.get("usedBy") or not item.get("builtIn")]


def _table(kind: str, graph: Graph) -> Iterator[str]:
    found = _shown(kind, graph)
    if not found:
        return
    head, *rows = table(kind, found)
    yield f'<h2 id="{kind}">{kind.title()}</h2>'
    yield f'<div class="scroll" tabindex="0" role="region" aria-labelledby="{kind}"><table>'
    yield "<thead><tr>" + "".join(f'<th scope="col">{_cell(cell)}</th>' for cell in head) + "</tr></thead><tbody>"
    for row in rows:
        yield "<tr>" + "".join(f"<td>{_cell(cell)}</td>" for cell in row) + "</tr>"
    yield "</tbody></table></div>"


def _cell(text: str) -> str:
    return escape(printable(text)).replace(",", ", ").replace(",  ", ", ")
