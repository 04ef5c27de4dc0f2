"""MaxMessage: stop after a number of messages. AutoGen counts the user's message too."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from kagent_render.catalog.base import Component, component
from kagent_render.catalog.conditions.base import Condition, ConditionScope, Location


class MaxMessage(Condition):
    """Stop when the run has `maxMessages` messages, the user's own included."""

    type: Literal["MaxMessage"]
    max_messages: int = Field(ge=1, le=10_000, description="Messages in the run, the user's own included.")

    def lower(self, scope: ConditionScope, location: Location) -> Component:
        """AutoGen's MaxMessageTermination; tool events do not count."""
        config = {"max_messages": self.max_messages, "include_agent_event": False}
        return component("autogen_agentchat.conditions.MaxMessageTermination", "termination", config)
