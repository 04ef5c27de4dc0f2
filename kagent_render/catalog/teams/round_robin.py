"""RoundRobin: the members speak in the order they are listed."""

from __future__ import annotations

from collections.abc import Iterator

from kagent_render.catalog.base import Component, Problem, Team, component

NAME = "RoundRobin"


def check(team: Team) -> Iterator[Problem]:
    """Nothing a RoundRobin cannot do."""
    return iter(())


def lower(team: Team) -> Component:
    """AutoGen's RoundRobinGroupChat."""
    return component("autogen_agentchat.teams.RoundRobinGroupChat", "team", team.shared_config())
