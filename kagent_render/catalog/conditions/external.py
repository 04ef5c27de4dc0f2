"""External: stop when somebody asks for it over HTTP."""

from __future__ import annotations

from typing import Literal

from kagent_render.catalog.base import Component
from kagent_render.catalog.conditions.base import Condition, ConditionScope, Location, own


class External(Condition):
    """Stop after the turn in which `POST /api/v1/sessions/{id}/stop` was called."""

    type: Literal["External"]

    def lower(self, scope: ConditionScope, location: Location) -> Component:
        """The runtime's own condition: AutoGen's has to be called in the process."""
        return own("External", {})
