"""Swarm: members hand the conversation over to each other; the first one listed starts."""

from __future__ import annotations

from collections.abc import Iterator

from kagent_render.catalog.base import Component, Problem, Team, component

NAME = "Swarm"


def check(team: Team) -> Iterator[Problem]:
    """AutoGen checks none of this when it loads: nested teams, and members nobody can reach."""
    for index, member in enumerate(team.members):
        if not member.is_agent:
            yield Problem("KR311", f"`{member.name}` is a team; a Swarm has agents only", ("agents", index))
    reached = _reachable(team)
    for index, member in enumerate(team.members):
        if member.is_agent and member.id not in reached:
            help = f"add `handoffs: [{{name: {member.name}}}]` to an agent that is reached"
            yield Problem("KR304", f"no handoff leads to `{member.name}`", ("agents", index), help)


def _reachable(team: Team) -> set[str]:
    by_id = {member.id: member for member in team.members}
    reached: set[str] = set()
    waiting = team.member_ids[:1]
    while waiting:
        current = waiting.pop()
        if current not in reached and current in by_id:
            reached.add(current)
            waiting.extend(by_id[current].handoffs)
    return reached


def lower(team: Team) -> Component:
    """AutoGen's Swarm (the class is not called SwarmGroupChat)."""
    return component("autogen_agentchat.teams.Swarm", "team", team.shared_config())
