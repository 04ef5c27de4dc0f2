"""Timeout: stop after a time. AutoGen looks at the clock between turns only; the runtime cuts a turn off."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from kagent_render.catalog.base import Component
from kagent_render.catalog.conditions.base import Condition, ConditionScope, Location, own


class Timeout(Condition):
    """Stop when the run has lasted `seconds`.

    On its own or in an `anyOf` of the team that runs, it cuts off the turn that goes on; in an `allOf` or in a
    nested team it waits for the turn's end.
    """

    type: Literal["Timeout"]
    seconds: int = Field(ge=1, le=86_400, description="Seconds since the user's message.")

    def lower(self, scope: ConditionScope, location: Location) -> Component:
        """The runtime's own condition."""
        return own("Timeout", {"seconds": self.seconds})
