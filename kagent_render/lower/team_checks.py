"""What is wrong with a team beyond its pattern: blocks of another pattern, reserved names, questions nobody answers."""

from __future__ import annotations

from collections.abc import Iterator

from kagent_render.catalog.base import Component, Problem, Team
from kagent_render.catalog.conditions.base import USER
from kagent_render.resolve import TeamNode

_BLOCKS = {"selector": "Selector", "graph": "GraphFlow", "magenticOne": "MagenticOne"}
_ANY_OF = "autogen_agentchat.base.OrTerminationCondition"


def problems_of(node: TeamNode, team: Team) -> Iterator[Problem]:
    """The defects, with their places below `spec`."""
    yield from _other_blocks(node)
    for index, member in enumerate(team.members):
        if member.id == USER:
            message = "`user` is the name of the person in every conversation"
            yield Problem("KR311", message, ("agents", index, "name"), "rename the agent")
        elif not member.is_agent and USER in handoffs_of(member.component):
            message = f"`{member.name}` hands over to the user, which only a team that no other team lists can"
            help = "remove the handoff to `user`, or run the Swarm by itself"
            yield Problem("KR334", message, ("agents", index), help)
    if any(USER in member_handoffs(member.component) for member in team.members) and not _pauses(team.termination):
        help = "add {type: Handoff, target: user} to an anyOf of the terminationCondition"
        message = "an agent hands over to the user, and the team does not stop for the answer"
        yield Problem("KR334", message, ("terminationCondition",), help)


def _other_blocks(node: TeamNode) -> Iterator[Problem]:
    spec = node.spec
    blocks = {"selector": spec.selector, "graph": spec.graph, "magenticOne": spec.magentic_one}
    for name, block in blocks.items():
        if block is not None and spec.team_type != _BLOCKS[name]:
            message = f"`{name}` says nothing to a team of the type {spec.team_type}"
            yield Problem("KR333", message, (name,), f"remove it, or set teamType: {_BLOCKS[name]}")


def _pauses(condition: Component | None) -> bool:
    """Whether a handoff to the user alone stops the team."""
    if condition is None:
        return False
    if condition["provider"] == _ANY_OF:
        return any(_pauses(part) for part in condition["config"]["conditions"])
    return bool(condition["provider"].endswith(".Handoff") and condition["config"]["target"] == USER)


def member_handoffs(component: Component) -> list[str]:
    """The AutoGen names that an agent hands over to."""
    return [handoff["target"] for handoff in component["config"].get("handoffs", ())]


def handoffs_of(component: Component) -> Iterator[str]:
    """The AutoGen names that an agent, or any agent of a team, hands over to."""
    yield from member_handoffs(component)
    for member in component["config"].get("participants", ()):
        yield from handoffs_of(member)


def functions_of(component: Component) -> Iterator[str]:
    """The functions that an agent, or any agent of a team, can call, as its model sees them."""
    config = component["config"]
    for workbench in config.get("workbench", ()):
        tools = workbench["config"].get("tools", ())
        yield from (tool if isinstance(tool, str) else tool["name"] for tool in tools)
    yield from (handoff["name"] for handoff in config.get("handoffs", ()))
    for member in config.get("participants", ()):
        yield from functions_of(member)
