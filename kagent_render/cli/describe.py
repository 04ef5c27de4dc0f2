"""`kagent-render describe`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from kagent_render.cli.output import report
from kagent_render.compiler import Compilation, compile_paths
from kagent_render.diagnostics import did_you_mean
from kagent_render.resolve import AgentNode, TeamNode
from kagent_render.views import describe as view
from kagent_render.views.inventory import Node, name_of, namespace_of


def run(
    kind: str,
    name: str,
    paths: Sequence[str],
    namespace: str | None,
    environment: str | None,
    live: bool,
    context: str | None,
) -> int:
    """Print one description. Raises UsageError for an unknown kind or name."""
    chosen = view.KINDS.get(kind.lower()) or view.KINDS.get(kind.lower().removesuffix("s"))
    if chosen is None:
        help = did_you_mean(kind, view.KINDS) or "kinds: agent, team, tool, model"
        raise click.UsageError(f"`{kind}` is not a kind; {help}")
    if live and chosen not in ("agents", "teams"):
        raise click.UsageError(f"--live is for agents and teams: {chosen} do not run")
    compilation = compile_paths(paths, namespace, environment)
    report(compilation, sys.stderr, None)
    if compilation.diagnostics.has_errors:
        return 1
    node = _find(chosen, name, compilation, namespace or compilation.graph.platform.namespace)
    click.echo(view.describe(node, compilation, _live(node, compilation, context) if live else ()), nl=False)
    return 0


def _live(node: Node, compilation: Compilation, context: str | None) -> list[view.Section]:
    from kagent_render.cli.live_status import LiveStatus

    assert isinstance(node, (AgentNode, TeamNode))
    statuses = LiveStatus(compilation, context).of(node)
    lines = [f"{status.namespace}/{status.name}: {status.summary}" for status in statuses]
    return [("Status", lines), ("Pods", [pod for status in statuses for pod in status.pods])]


def _find(kind: str, name: str, compilation: Compilation, default: str | None) -> Node:
    """The node of a name, or of `NAMESPACE/NAME` where several share it."""
    by_name: dict[str, list[Node]] = {}
    for node in view.nodes(kind, compilation):
        is_workload = kind in ("agents", "teams")
        full = f"{namespace_of(node, default if is_workload else None)}/{name_of(node)}"
        for known in {name_of(node), full.removeprefix("/")}:
            by_name.setdefault(known, []).append(node)
    found = by_name.get(name, [])
    if not found:
        help = did_you_mean(name, by_name) or "there are: " + (", ".join(sorted(by_name)) or "none")
        raise click.UsageError(f"`{name}` is not one of the {kind}; {help}")
    if len(found) > 1:
        places = ", ".join(sorted(f"{namespace_of(node, default)}/{name_of(node)}" for node in found))
        raise click.UsageError(f"several {kind} are named `{name}`; say which: {places}")
    return found[0]
