"""The registry of report formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from kagent_render.diagnostics import Diagnostic
from kagent_render.reports import concise, full, github, json, sarif
from kagent_render.reports.text import SourceLines

Report = Callable[[Sequence[Diagnostic], SourceLines], Iterator[str]]
FORMATS: dict[str, Report] = {
    "concise": concise.render,
    "full": full.render,
    "json": json.render,
    "github": github.render,
    "sarif": sarif.render,
}
