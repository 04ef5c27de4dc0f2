"""SourceMatch: stop when a member has spoken."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from kagent_render.catalog.base import Component
from kagent_render.catalog.conditions.base import Condition, ConditionScope, Location, stock


class SourceMatch(Condition):
    """Stop when one of `sources` has answered."""

    type: Literal["SourceMatch"]
    sources: list[str] = Field(min_length=1, description="Members whose answer ends the run.")

    def lower(self, scope: ConditionScope, location: Location) -> Component:
        """AutoGen's SourceMatchTermination: members only, so it never fires on the user."""
        sources = scope.speakers(self.sources, (*location, "sources"))
        return stock("SourceMatchTermination", {"sources": sources})
