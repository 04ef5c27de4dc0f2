"""The registry of forms that `graph` draws in."""

from __future__ import annotations

from collections.abc import Callable

from kagent_render.resolve import Graph
from kagent_render.views.drawing.page import page
from kagent_render.views.drawing.svg import svg
from kagent_render.views.graph import dot, mermaid

FORMATS: dict[str, Callable[[Graph], str]] = {"mermaid": mermaid, "dot": dot, "svg": svg, "html": page}
