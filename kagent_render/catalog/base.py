"""The neutral records that tools, models and teams are described with, before any Kubernetes object exists."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Component = dict[str, Any]


def component(provider: str, component_type: str, config: dict[str, Any]) -> Component:
    """An AutoGen component: `provider` is the class that loads it (autogen_core `ComponentModel`)."""
    return {"provider": provider, "component_type": component_type, "version": 1, "config": config}


@dataclass(frozen=True, slots=True, order=True)
class AccessRule:
    """One permission: a verb on a resource in a namespace. Namespace "" is the workload's own, "*" is all."""

    namespace: str
    group: str
    resource: str
    verb: str


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """Something the workload calls. `host` as written in the URL."""

    host: str
    port: int
    scheme: str


@dataclass(frozen=True, slots=True)
class LoweredTool:
    """What granting one tool means: its config for the runtime, its permissions, what it calls."""

    name: str
    type: str
    config: dict[str, Any]
    access: frozenset[AccessRule] = frozenset()
    needs_kubernetes_api: bool = False
    endpoints: frozenset[Endpoint] = frozenset()


@dataclass(frozen=True, slots=True)
class Problem:
    """A defect found by a catalog entry: it knows the place in the spec, not the file."""

    code: str
    message: str
    location: tuple[int | str, ...] = ()
    help: str | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a team: `id` is its AutoGen name; `handoffs` are the ids it may hand over to."""

    id: str
    name: str
    component: Component
    is_agent: bool = True
    handoffs: tuple[str, ...] = ()
    models: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Team:
    """What a team pattern needs to lower a team."""

    id: str
    description: str
    members: tuple[Member, ...]
    max_turns: int
    termination: Component | None
    selector_prompt: str | None = None
    selector_model: Component | None = None
    allow_repeated_speaker: bool = False
    problems: list[Problem] = field(default_factory=list, compare=False)

    @property
    def member_ids(self) -> list[str]:
        """The AutoGen names of the members, in order."""
        return [member.id for member in self.members]

    def shared_config(self) -> dict[str, Any]:
        """The config keys that every pattern has."""
        config: dict[str, Any] = {
            "name": self.id,
            "description": self.description,
            "participants": [member.component for member in self.members],
        }
        if self.termination is not None:
            config["termination_condition"] = self.termination
        return config | {"max_turns": self.max_turns}


def agents_of(members: Iterable[Member]) -> list[Member]:
    """The members that are agents, not nested teams."""
    return [member for member in members if member.is_agent]
