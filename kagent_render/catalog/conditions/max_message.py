"""MaxMessage: stop after a number of messages. AutoGen counts the user's message too; the runtime's own does not."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from kagent_render.catalog.base import Component
from kagent_render.catalog.conditions.base import Condition, ConditionScope, Location, own


class MaxMessage(Condition):
    """Stop when the members have sent `maxMessages` messages in this run."""

    type: Literal["MaxMessage"]
    max_messages: int = Field(ge=1, le=10_000, description="Messages of the members; tool calls do not count.")

    def lower(self, scope: ConditionScope, location: Location) -> Component:
        """Count what the members say."""
        return own("MaxMessage", {"max_messages": self.max_messages, "sources": scope.speakers(None, location)})
