"""Handoff: stop when a member hands over to the target; with the target `user` the person is asked."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from kagent_render.catalog.base import Component, Problem
from kagent_render.catalog.conditions.base import USER, Condition, ConditionScope, Location, own
from kagent_render.catalog.fields import Text


class Handoff(Condition):
    """Stop when a member hands over to `target`. The next message of the user goes on from there."""

    type: Literal["Handoff"]
    target: Text = Field(description='A member, or "user": then the run pauses until the user answers that agent.')

    def lower(self, scope: ConditionScope, location: Location) -> Component:
        """The target must be somebody that a member can hand over to."""
        place = (*location, "target")
        if self.target != USER and self.target not in scope.ids:
            scope.no_member(self.target, place)
            return own("Handoff", {"target": USER, "sources": [USER]})
        ids = (USER,) if self.target == USER else scope.ids[self.target]
        target = next((id for id in ids if id in scope.handoffs), ids[0])
        if target not in scope.handoffs:
            help = f"add `handoffs: [{{name: {self.target}}}]` to an agent of a Swarm"
            scope.problems.append(Problem("KR331", f"nobody hands over to `{self.target}`", place, help))
        return own("Handoff", {"target": target, "sources": scope.speakers(None, location)})
