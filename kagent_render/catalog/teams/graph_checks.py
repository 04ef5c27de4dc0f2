"""What is wrong with a graph of members, found before a conversation is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kagent_render.catalog.base import GraphEdge, Problem, Team
from kagent_render.diagnostics import did_you_mean

Edges = Sequence[GraphEdge]
Place = tuple[int | str, ...]


def roots(names: Sequence[str], edges: Edges) -> list[str]:
    """The members that no edge leads to, in order."""
    targets = {edge.end for edge in edges}
    return [name for name in names if name not in targets]


def check(team: Team, edges: Edges) -> Iterator[Problem]:
    """Each defect once: the later checks need a graph whose names are right."""
    names = [member.name for member in team.members]
    problems = [*_unknown(names, team.start, edges), *_start(names, team.start, edges)]
    if problems:
        yield from problems
        return
    yield from _twice(edges)
    yield from _mixed(edges)
    yield from _joins(edges)
    start = team.start or roots(names, edges)[0]
    yield from _never_started(names, start, edges)
    yield from _endless(names, edges)


def _unknown(names: list[str], start: str | None, edges: Edges) -> Iterator[Problem]:
    places: list[tuple[str, Place]] = [(start, ("graph", "start"))] if start else []
    for index, edge in enumerate(edges):
        places += [(edge.start, ("graph", "edges", index, "from")), (edge.end, ("graph", "edges", index, "to"))]
    for name, place in places:
        if name not in names:
            help = did_you_mean(name, names) or "members: " + ", ".join(names)
            yield Problem("KR335", f"`{name}` is not a member of the team", place, help)


def _start(names: list[str], start: str | None, edges: Edges) -> Iterator[Problem]:
    found = roots(names, edges)
    if start is not None or len(found) == 1:
        return
    if found:
        message = "the graph starts at one member, and no edge leads to " + ", ".join(f"`{name}`" for name in found)
    else:
        message = "an edge leads to every member, so it is not clear who starts"
    yield Problem("KR336", message, ("graph",), "add `start: " + (found or names)[0] + "`")


def _twice(edges: Edges) -> Iterator[Problem]:
    seen: set[tuple[str, str, str | None]] = set()
    for index, edge in enumerate(edges):
        key = (edge.start, edge.end, edge.when)
        if key in seen:
            message = f"the edge from `{edge.start}` to `{edge.end}` is listed twice"
            yield Problem("KR339", message, ("graph", "edges", index), "remove one")
        seen.add(key)


def _mixed(edges: Edges) -> Iterator[Problem]:
    for index, edge in enumerate(edges):
        if edge.when is None and any(other.when for other in edges if other.start == edge.start):
            message = f"`{edge.start}` has edges with and without `when`; AutoGen takes one kind only"
            help = "give every edge from it a `when`, or none"
            yield Problem("KR339", message, ("graph", "edges", index), help)


def _joins(edges: Edges) -> Iterator[Problem]:
    first: dict[tuple[str, str | None], str] = {}
    for index, edge in enumerate(edges):
        join = first.setdefault((edge.end, edge.group), edge.join)
        if join != edge.join:
            message = f"the edges to `{edge.end}` are joined by `{join}` and by `{edge.join}`"
            help = "use the same `join`, or another `group`"
            yield Problem("KR339", message, ("graph", "edges", index), help)


def _never_started(names: list[str], start: str, edges: Edges) -> Iterator[Problem]:
    """Those that no path reaches, and those that wait for themselves: a loop joined by `all` can never begin."""
    can_start, reached = _startable(start, edges), _connected([start], [(edge.start, edge.end) for edge in edges])
    for index, name in enumerate(names):
        sources = [edge.start for edge in edges if edge.end == name]
        if name not in reached:
            message = f"no path leads from `{start}` to `{name}`"
            yield Problem("KR337", message, ("agents", index), "add an edge to it, or remove it")
        elif name not in can_start and any(source in can_start for source in sources):
            late = next(source for source in sources if source not in can_start)
            message = f"`{name}` waits for `{late}`, which cannot speak before it"
            help = "set `join: any` on the edges to it, or give the edge of the loop another `group`"
            yield Problem("KR337", message, ("agents", index), help)


def _startable(start: str, edges: Edges) -> set[str]:
    groups: dict[tuple[str, str | None], list[GraphEdge]] = {}
    for edge in edges:
        groups.setdefault((edge.end, edge.group), []).append(edge)
    found, before = {start}, 0
    while len(found) != before:
        before = len(found)
        for (end, _), incoming in groups.items():
            wanted = any if incoming[0].join == "any" else all
            if wanted(edge.start in found for edge in incoming):
                found.add(end)
    return found


def _endless(names: list[str], edges: Edges) -> Iterator[Problem]:
    """Cycles without a condition, which AutoGen refuses, and cycles from which no edge leads to an end."""
    ends = [name for name in names if all(edge.start != name for edge in edges)]
    finite = _connected(ends, [(edge.end, edge.start) for edge in edges])
    stuck = [name for name in names if name not in finite]
    if stuck:
        listed = ", ".join(f"`{name}`" for name in stuck)
        message = f"no path leads from {listed} to a member without further edges, so the graph never ends"
        help = "add an edge with `when` out of the loop"
        first = next(index for index, edge in enumerate(edges) if edge.start in stuck)
        yield Problem("KR338", message, ("graph", "edges", first), help)
        return
    for index, edge in enumerate(edges):
        if edge.when is None and (path := _unconditional_path(edge.end, edge.start, edges)):
            if edge.start == min(path, key=names.index):  # once a cycle
                message = "nothing but `when` ends a cycle: " + " → ".join(f"`{name}`" for name in [path[-1], *path])
                yield Problem("KR338", message, ("graph", "edges", index), "give one of its edges a `when`")


def _connected(starts: Sequence[str], steps: Sequence[tuple[str, str]]) -> set[str]:
    found, waiting = set(starts), list(starts)
    while waiting:
        current = waiting.pop()
        for before, after in steps:
            if before == current and after not in found:
                found.add(after)
                waiting.append(after)
    return found


def _unconditional_path(start: str, end: str, edges: Edges) -> list[str]:
    """The members from start to end over edges without `when`; empty when there is no such path."""
    paths, seen = [[start]], {start}
    while paths:
        path = paths.pop(0)
        if path[-1] == end:
            return path
        for edge in edges:
            if edge.start == path[-1] and edge.when is None and edge.end not in seen:
                seen.add(edge.end)
                paths.append([*path, edge.end])
    return []
