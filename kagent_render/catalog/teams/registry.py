"""The registry of team patterns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from kagent_render.catalog.base import Component, Problem, Team
from kagent_render.catalog.teams import graph_flow, magentic_one, round_robin, selector, swarm


class TeamPattern(Protocol):
    """A module of `catalog/teams`."""

    NAME: str

    def check(self, team: Team) -> Iterator[Problem]:
        """The defects that AutoGen would only find while it runs."""

    def lower(self, team: Team) -> Component:
        """The AutoGen component."""


TEAM_PATTERNS: dict[str, TeamPattern] = {
    graph_flow.NAME: graph_flow,
    magentic_one.NAME: magentic_one,
    round_robin.NAME: round_robin,
    selector.NAME: selector,
    swarm.NAME: swarm,
}
