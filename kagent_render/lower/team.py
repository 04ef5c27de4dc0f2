"""An AgentTeam to AutoGen's group chats, with everything checked that AutoGen finds out too late."""

from __future__ import annotations

from collections.abc import Iterator

from kagent_render.catalog.base import Component, GraphEdge, Member, Problem, Team
from kagent_render.catalog.conditions.base import USER, ConditionScope
from kagent_render.catalog.teams.registry import TEAM_PATTERNS
from kagent_render.diagnostics import Diagnostics, did_you_mean
from kagent_render.lower.agent import assistant
from kagent_render.lower.model import model_client
from kagent_render.lower.names import autogen_id
from kagent_render.lower.team_checks import functions_of, handoffs_of, problems_of
from kagent_render.resolve import AgentNode, ModelNode, TeamNode

DEFAULT_MAX_TURNS = 50  # a backstop: a condition that never fires must not spend tokens for ever


def agents_of(team: TeamNode) -> Iterator[AgentNode]:
    """Every agent of a team, those of nested teams included, in order."""
    for member in team.members:
        if isinstance(member, TeamNode):
            yield from agents_of(member)
        else:
            yield member


def agents_in(node: AgentNode | TeamNode) -> list[AgentNode]:
    """The agents that run in one workload: the agent itself, or all of a team."""
    return [node] if isinstance(node, AgentNode) else list(agents_of(node))


def models_of(node: AgentNode | TeamNode) -> Iterator[ModelNode]:
    """Every model that an agent or team calls, those of selectors and orchestrators included."""
    if isinstance(node, AgentNode):
        yield from filter(None, (node.model, node.memory_model))
        return
    for member in node.members:
        yield from models_of(member)
    yield from filter(None, (selector_model_node(node), orchestrator_model_node(node)))


def check_team(team: TeamNode, diagnostics: Diagnostics) -> None:
    """Report what makes the team fail or never end."""
    spec = team.spec
    ends_by_itself = spec.team_type in ("GraphFlow", "MagenticOne")
    if spec.termination_condition is None and spec.max_turns is None and not ends_by_itself:
        help = "add terminationCondition: {type: TextMention, text: …}, or maxTurns"
        diagnostics.add("KR306", "nothing ever stops this team", team.document.span_of(("spec",)), help=help)
    if spec.team_type == "Swarm":
        _check_handoffs(team, diagnostics)
    lowered = _team(team)
    for problem in [*lowered.problems, *problems_of(team, lowered), *TEAM_PATTERNS[spec.team_type].check(lowered)]:
        span = team.document.span_of(("spec", *problem.location))
        diagnostics.add(problem.code, problem.message, span, help=problem.help)


def _check_handoffs(team: TeamNode, diagnostics: Diagnostics) -> None:
    names = [member.metadata.name for member in team.members]
    for agent in (member for member in team.members if isinstance(member, AgentNode)):
        for index, handoff in enumerate(agent.spec.handoffs):
            if handoff.name not in (*names, USER):
                span = agent.document.span_of(("spec", "handoffs", index, "name"))
                help = did_you_mean(handoff.name, (*names, USER)) or "members: " + ", ".join(names)
                message = f"`{handoff.name}` is not a member of the Swarm `{team.metadata.name}`"
                diagnostics.add("KR302", message, span, help=help)


def lower_team(team: TeamNode) -> Component:
    """The team's component. Only for a team without defects."""
    return TEAM_PATTERNS[team.spec.team_type].lower(_team(team))


def _team(team: TeamNode) -> Team:
    spec = team.spec
    members = tuple(_member(member, team) for member in team.members)
    ids = {member.metadata.name: _speakers(member) for member in team.members}
    problems: list[Problem] = []
    components = [member.component for member in members]
    scope = ConditionScope(
        ids,
        problems,
        functions=tuple(dict.fromkeys(name for part in components for name in functions_of(part))),
        handoffs=frozenset(target for part in components for target in handoffs_of(part)),
        has_teams=not all(member.is_agent for member in members),
    )
    condition = spec.termination_condition
    termination = condition.lower(scope, ("terminationCondition",)) if condition else None
    selector, magentic = spec.selector, spec.magentic_one
    return Team(
        id=autogen_id(team.metadata.name),
        description=team_description(team),
        members=members,
        max_turns=spec.max_turns or DEFAULT_MAX_TURNS,
        termination=termination,
        selector_prompt=selector.prompt if selector else None,
        selector_model=_client(selector_model_node(team)),
        allow_repeated_speaker=bool(selector and selector.allow_repeated_speaker),
        max_selector_attempts=selector.max_selector_attempts if selector else 3,
        start=spec.graph.start if spec.graph else None,
        edges=_edges(team),
        orchestrator_model=_client(orchestrator_model_node(team)),
        max_stalls=magentic.max_stalls if magentic else 3,
        final_answer_prompt=magentic.final_answer_prompt if magentic else None,
        problems=problems,
    )


def _edges(team: TeamNode) -> tuple[GraphEdge, ...] | None:
    graph = team.spec.graph
    return tuple(GraphEdge(e.from_, e.to, e.when, e.join, e.group) for e in graph.edges) if graph else None


def _speakers(member: AgentNode | TeamNode) -> tuple[str, ...]:
    agents = agents_of(member) if isinstance(member, TeamNode) else [member]
    return tuple(autogen_id(agent.metadata.name) for agent in agents)


def team_description(team: TeamNode) -> str:
    """What the team says of itself; its members when the spec says nothing."""
    names = ", ".join(member.metadata.name for member in team.members)
    return team.spec.description or f"{team.spec.team_type} team of {names}"


def _member(member: AgentNode | TeamNode, team: TeamNode) -> Member:
    id, name = autogen_id(member.metadata.name), member.metadata.name
    if isinstance(member, TeamNode):
        return Member(id, name, lower_team(member), is_agent=False)
    targets = _handoff_targets(member, team)
    asks_user = team.spec.team_type == "Swarm" and any(handoff.name == USER for handoff in member.spec.handoffs)
    assistant_ = assistant(member, targets, asks_user=asks_user)
    return Member(id, name, assistant_, handoffs=tuple(autogen_id(target.metadata.name) for target in targets))


def _handoff_targets(agent: AgentNode, team: TeamNode) -> list[AgentNode]:
    if team.spec.team_type != "Swarm":
        return []
    by_name = {member.metadata.name: member for member in team.members if isinstance(member, AgentNode)}
    return [by_name[handoff.name] for handoff in agent.spec.handoffs if handoff.name in by_name]


def selector_model_node(team: TeamNode) -> ModelNode | None:
    """The model that selects: the one named, else the one that all members share."""
    return team.selector_model or _shared_model(team) if team.spec.team_type == "Selector" else None


def orchestrator_model_node(team: TeamNode) -> ModelNode | None:
    """The model that plans: the one named, else the one that all members share."""
    return team.orchestrator_model or _shared_model(team) if team.spec.team_type == "MagenticOne" else None


def _shared_model(team: TeamNode) -> ModelNode | None:
    models = {(agent.model.metadata.namespace, agent.model.metadata.name): agent.model for agent in agents_of(team)}
    return next(iter(models.values())) if len(models) == 1 else None


def _client(node: ModelNode | None) -> Component | None:
    return model_client(node) if node else None
