"""StopMessage: stop when a member sends a StopMessage.

Agents never do. The runtime sends one for a nested team that has come to its own end, which AutoGen drops.
"""

from __future__ import annotations

from typing import Literal

from kagent_render.catalog.base import Component, Problem
from kagent_render.catalog.conditions.base import Condition, ConditionScope, Location, own


class StopMessage(Condition):
    """Stop when a nested team that is a member has come to its own end, rather than to its `maxTurns`."""

    type: Literal["StopMessage"]

    def lower(self, scope: ConditionScope, location: Location) -> Component:
        """A team without nested teams would wait for ever."""
        if not scope.has_teams:
            help = "agents never send one; use TextMention, or make the agents a team of their own"
            message = "no member is a team, so there is no StopMessage"
            scope.problems.append(Problem("KR332", message, (*location, "type"), help))
        return own("StopMessage", {})
