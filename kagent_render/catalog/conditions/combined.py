"""anyOf and allOf: conditions of conditions. AutoGen keeps these two classes in `autogen_agentchat.base`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from kagent_render.catalog.base import Component, component
from kagent_render.catalog.conditions.base import Condition, ConditionScope, Location

if TYPE_CHECKING:
    from kagent_render.catalog.conditions.registry import TerminationCondition


class AnyOf(Condition):
    """Stop when any of the conditions holds."""

    any_of: list[TerminationCondition] = Field(min_length=1, description="Conditions, of which one has to hold.")

    def lower(self, scope: ConditionScope, location: Location) -> Component:
        """AutoGen's OrTerminationCondition."""
        return _combine("OrTerminationCondition", self.any_of, scope, (*location, "anyOf"))


class AllOf(Condition):
    """Stop when all of the conditions have held."""

    all_of: list[TerminationCondition] = Field(min_length=1, description="Conditions that all have to hold.")

    def lower(self, scope: ConditionScope, location: Location) -> Component:
        """AutoGen's AndTerminationCondition."""
        return _combine("AndTerminationCondition", self.all_of, scope, (*location, "allOf"))


def _combine(name: str, conditions: list[TerminationCondition], scope: ConditionScope, location: Location) -> Component:
    parts = [condition.lower(scope, (*location, index)) for index, condition in enumerate(conditions)]
    return component(f"autogen_agentchat.base.{name}", "termination", {"conditions": parts})
