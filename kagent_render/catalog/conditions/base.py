"""What every termination condition is: a spec model that lowers itself."""

from dataclasses import dataclass
from typing import Any

from kagent_render.catalog.base import Component, Problem, component
from kagent_render.catalog.fields import SpecModel
from kagent_render.diagnostics import did_you_mean

Location = tuple[int | str, ...]
USER = "user"
"""The name under which AutoGen keeps the person; no agent may have it."""


@dataclass(frozen=True, slots=True)
class ConditionScope:
    """The members a condition may name, each with the AutoGen names it speaks under: a nested team speaks as its
    agents do. `functions` are the tools and handoffs the members call, `handoffs` the AutoGen names they hand over
    to. `problems` collects defects.
    """

    ids: dict[str, tuple[str, ...]]
    problems: list[Problem]
    functions: tuple[str, ...] = ()
    handoffs: frozenset[str] = frozenset()
    has_teams: bool = False

    def speakers(self, names: list[str] | None, location: Location) -> list[str]:
        """The AutoGen names of these members, of all when None; a name that is no member is a defect."""
        found: list[str] = []
        for index, name in enumerate(self.ids if names is None else names):
            if name in self.ids:
                found.extend(id for id in self.ids[name] if id not in found)
            else:
                self.no_member(name, (*location, index))
        return found

    def no_member(self, name: str, location: Location) -> None:
        """Report a name that is not a member."""
        help = did_you_mean(name, self.ids) or "members: " + ", ".join(self.ids)
        self.problems.append(Problem("KR314", f"`{name}` is not a member of the team", location, help))


class Condition(SpecModel):
    """Base of all conditions."""

    def lower(self, scope: ConditionScope, location: Location) -> Component:
        """The AutoGen component; defects go to `scope.problems` with their place below the condition."""
        raise NotImplementedError


def own(name: str, config: dict[str, Any]) -> Component:
    """A condition that the runtime ships, because AutoGen's of this name counts what it should not."""
    return component(f"kagent_runtime.components.{name}", "termination", config)


def stock(name: str, config: dict[str, Any]) -> Component:
    """AutoGen's own condition."""
    return component(f"autogen_agentchat.conditions.{name}", "termination", config)
