"""Teams that contain each other in a circle."""

from __future__ import annotations

from kagent_render.diagnostics import Diagnostics
from kagent_render.resolve.graph import TeamNode


def report_cycles(teams: list[TeamNode], diagnostics: Diagnostics) -> None:
    """Report every cycle once, whole, at its first team; its teams are no longer whole."""
    seen: set[frozenset[int]] = set()
    for team in teams:
        path = _cycle_from(team, team, [])
        if path and frozenset(map(id, path)) not in seen:
            seen.add(frozenset(map(id, path)))
            names = " -> ".join(f"`{member.metadata.name}`" for member in [*path, team])
            span = team.document.span_of(("spec", "agents"))
            diagnostics.add("KR203", f"teams contain each other: {names}", span, help="take one of them out")
        if path:
            team.is_whole = False


def _cycle_from(start: TeamNode, team: TeamNode, path: list[TeamNode]) -> list[TeamNode]:
    for member in team.members:
        if member is start:
            return [*path, team]
        if isinstance(member, TeamNode) and not any(member is step for step in path) and member is not team:
            found = _cycle_from(start, member, [*path, team])
            if found:
                return found
    return []
