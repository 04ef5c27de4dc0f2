"""The colours and strokes of the drawing, light and dark. Contrast of text is at least 4.5 to 1 in both."""

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
LIGHT = {
    "page": "#ffffff",
    "box": "#ffffff",
    "team": "#f3f6fb",
    "line": "#c9d3e0",
    "ink": "#152033",
    "soft": "#4c5a70",
    "agent": "#2456c7",
    "model": "#6b4fbb",
    "reads": "#1b7a4b",
    "changes": "#b4420f",
    "calls": "#8a5a00",
    "wire": "#6f7f96",
}
DARK_COLOURS = {
    "page": "#0f1520",
    "box": "#1a2332",
    "team": "#141c29",
    "line": "#34425a",
    "ink": "#e8edf5",
    "soft": "#a9b6c9",
    "agent": "#7fa8ff",
    "model": "#b9a4ff",
    "reads": "#63d297",
    "changes": "#ff9d6e",
    "calls": "#e8b95a",
    "wire": "#7888a2",
}
LOOKS = ("agent", "model", "reads", "changes", "calls")


def _variables(colours: dict[str, str]) -> str:
    return ".kagent{" + "".join(f"--{name}:{value};" for name, value in colours.items()) + "}"


_SHAPES = f"""
.kagent text{{font-family:{FONT};fill:var(--ink)}}
.kagent .page{{fill:var(--page)}}
.kagent .title{{font-size:13px;font-weight:600}}
.kagent .text{{font-size:11px;fill:var(--soft)}}
.kagent .badge{{font-size:10px;text-anchor:middle;fill:var(--page)}}
.kagent .team>rect{{fill:var(--team);stroke:var(--line)}}
.kagent .team .pill{{fill:var(--soft);stroke:none}}
.kagent .card>rect{{fill:var(--box);stroke:var(--line)}}
.kagent .card .pill{{stroke:none}}
.kagent .edge{{fill:none;stroke-width:3;stroke-linecap:round}}
.kagent .wire{{fill:none;stroke:var(--wire);stroke-width:1.4}}
.kagent .wire.handoff{{stroke:var(--agent);stroke-width:2}}
.kagent .wire.then{{stroke:var(--agent);stroke-width:2}}
.kagent .wire.if{{stroke:var(--agent);stroke-width:2;stroke-dasharray:5 4}}
.kagent .wire.asks{{stroke:var(--model);stroke-dasharray:2 4;stroke-linecap:round}}
.kagent .wire.member{{stroke:var(--soft);stroke-dasharray:7 4}}
.kagent .head{{fill:var(--wire)}}
.kagent .head.handoff{{fill:var(--agent)}}
.kagent .head.then{{fill:var(--agent)}}
.kagent .head.if{{fill:var(--agent)}}
.kagent .head.asks{{fill:var(--model)}}
.kagent .head.member{{fill:var(--soft)}}
"""
_LOOKS = "".join(
    f".kagent .{look} .edge{{stroke:var(--{look})}}.kagent .{look} .pill{{fill:var(--{look})}}" for look in LOOKS
)
DARK = "@media (prefers-color-scheme:dark){" + _variables(DARK_COLOURS) + "}"
STYLE = (_variables(LIGHT) + DARK + _SHAPES + _LOOKS).replace("\n", "")
