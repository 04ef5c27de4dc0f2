"""TextMessage: stop when a member answers with text. AutoGen's own also fires on the user's message."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from kagent_render.catalog.base import Component
from kagent_render.catalog.conditions.base import Condition, ConditionScope, Location, own


class TextMessage(Condition):
    """Stop when `source` (default: any member) answers with text, not with a handoff."""

    type: Literal["TextMessage"]
    source: str | None = Field(default=None, description="The member to listen to; default all.")

    def lower(self, scope: ConditionScope, location: Location) -> Component:
        """Listen to members only."""
        if self.source is not None and self.source not in scope.ids:
            scope.no_member(self.source, (*location, "source"))
        known = None if self.source is None else [name for name in (self.source,) if name in scope.ids]
        return own("TextMessage", {"sources": scope.speakers(known, location)})
