"""Sidecars of tools that cannot be in one pod with each other, or with what is there already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from kagent_render.catalog.base import ServerContainer
from kagent_render.diagnostics import Diagnostics
from kagent_render.lower.agent import lower_tool
from kagent_render.lower.asked import PORT
from kagent_render.lower.features.dapr import SIDECAR_PORTS
from kagent_render.lower.features.tls import MANAGEMENT
from kagent_render.lower.workload import Workload
from kagent_render.resolve import AgentNode


def check_sidecars(workload: Workload, agents: Iterable[AgentNode], diagnostics: Diagnostics) -> None:
    """KR544 for a port that the pod uses already, KR205 for two containers of one name."""
    taken = _taken(workload)
    tools = {id(tool.document): tool for agent in agents for tool in agent.tools if tool.served}
    seen: list[ServerContainer] = []
    for tool in sorted(tools.values(), key=lambda tool: tool.declaration.name):
        server = lower_tool(tool).server
        if server is None or not server.is_sidecar or any(server.is_same(other) for other in seen):
            continue
        for code, place, message, help in _defects(server, seen, taken, workload):
            assert tool.document is not None
            diagnostics.add(code, message, tool.document.span_of(place), help=help)
        seen.append(server)
        taken.setdefault(server.port, f"by the sidecar of `{server.name}`")


def _defects(
    server: ServerContainer, others: Iterable[ServerContainer], taken: Mapping[int, str], workload: Workload
) -> Iterator[tuple[str, tuple[str, ...], str, str]]:
    if any(server.name == other.name for other in others):
        message = f"two tools of `{workload.name}` are called `{server.name}`, and so would their sidecars be"
        yield "KR205", ("metadata", "name"), message, "rename one of the two"
    elif server.port in taken:
        message = f"port `{server.port}` is taken in the pod of `{workload.name}`: {taken[server.port]}"
        help = "give it another `port`, at which the server has to listen then"
        yield "KR544", ("spec", "mcp", "server", "port"), message, help


def _taken(workload: Workload) -> dict[int, str]:
    """What listens in the pod. The port of health and metrics counts even where the agent has none of its own yet."""
    taken = {PORT: "by the agent", MANAGEMENT.number: "by the agent, for health and metrics"}
    if dapr := workload.platform.dapr:
        taken |= dict.fromkeys((*SIDECAR_PORTS, dapr.metrics_port), "by the sidecar of Dapr")
    return taken
