"""What every termination condition is: a spec model that lowers itself."""

from dataclasses import dataclass

from kagent_render.catalog.base import Component, Problem
from kagent_render.catalog.fields import SpecModel

Location = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class ConditionScope:
    """The members a condition may name, each with the AutoGen names it speaks under: a nested team speaks as its
    agents do. `problems` collects defects.
    """

    ids: dict[str, tuple[str, ...]]
    problems: list[Problem]


class Condition(SpecModel):
    """Base of all conditions."""

    def lower(self, scope: ConditionScope, location: Location) -> Component:
        """The AutoGen component; defects go to `scope.problems` with their place below the condition."""
        raise NotImplementedError
