"""Agents that ask other agents: where the other one answers, who may not be asked, and circles of questions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kagent_render.catalog.base import Caller, Contribution, Endpoint
from kagent_render.diagnostics import Diagnostics, Label
from kagent_render.lower.features.authentication import TOKENS_FILE
from kagent_render.lower.team import agents_in
from kagent_render.lower.workload import Workload
from kagent_render.resolve import AgentNode, Graph, TeamNode, ToolNode
from kagent_render.specs.scaling import Scaling

PORT = 8080
_INTERCEPTOR = "keda-add-ons-http-interceptor-proxy"
_KOURIER_PORT = 8081  # of the pods behind kourier-internal, which a Knative Service's name leads to
Node = AgentNode | TeamNode


def workload_type(node: Node, graph: Graph) -> str:
    """Deployment or Knative."""
    return node.spec.workload.type or graph.platform.workload.type


def workload_scaling(node: Node, graph: Graph) -> Scaling | None:
    """What scales the workload: its own settings, else the Platform's."""
    override = node.spec.workload
    return override.scaling or (None if override.type == "Knative" else graph.platform.scaling)


def workload_namespace(node: Node, graph: Graph, default: str | None) -> str | None:
    """Where the workload runs; None when the destination decides."""
    return node.metadata.namespace or default or graph.platform.namespace


def fill_addresses(graph: Graph, default_namespace: str | None) -> None:
    """Tell every tool of type agent where the asked one answers."""
    for tool in _agent_tools(graph):
        if tool.asked and tool.asked.node:
            tool.asked.url, tool.asked.endpoint = _address(tool.asked.node, graph, default_namespace)
            authentication = graph.platform.authentication
            # Only to agents of these specs: one elsewhere must not get a token that is good here.
            tool.asked.token_file = TOKENS_FILE if authentication and authentication.bearer else None


def _address(node: Node, graph: Graph, default_namespace: str | None) -> tuple[str, Endpoint]:
    name, namespace = node.metadata.name, workload_namespace(node, graph, default_namespace)
    scaling = workload_scaling(node, graph)

    def host(service: str) -> str:
        return f"{service}.{namespace}.svc.cluster.local" if namespace else service

    if workload_type(node, graph) == "Knative":
        gateway = (node.spec.workload.knative or graph.platform.knative).ingress_namespace
        return f"http://{host(name)}", Endpoint(f"kourier-internal.{gateway}.svc", _KOURIER_PORT, "http")
    if scaling is not None and scaling.http is not None:
        place = graph.platform.http_interceptor.namespace
        return f"http://{host(f'{name}-proxy')}:{PORT}", Endpoint(f"{_INTERCEPTOR}.{place}.svc", PORT, "http")
    scheme = "https" if graph.platform.tls else "http"
    return f"{scheme}://{host(name)}:{PORT}", Endpoint(host(name), PORT, scheme)


def _agent_tools(graph: Graph) -> Iterator[ToolNode]:
    for agent in graph.agents:
        yield from (tool for tool in agent.tools if tool.type == "agent")


def check_asked(graph: Graph, runnable: list[Node], diagnostics: Diagnostics) -> None:
    """Who is asked must answer: not only inside a team, and over A2A. And agents that ask in a circle never end."""
    _check_protocol(graph, diagnostics)
    running = {id(node) for node in runnable}
    for tool in _agent_tools(graph):
        node = tool.asked.node if tool.asked else None
        if node is None or tool.document is None or id(node) in running or not graph.teams_of(node):
            continue
        team = graph.teams_of(node)[0].metadata.name
        message = f"`{node.metadata.name}` runs inside the team `{team}` only, where nobody can ask it"
        help = f"ask the team `{team}`, or set `standalone: true` in `{node.metadata.name}`"
        diagnostics.add("KR366", message, tool.document.span_of(("spec", "agent", "name")), help=help)
    for node in runnable:
        _check_circle(node, diagnostics)


def _check_protocol(graph: Graph, diagnostics: Diagnostics) -> None:
    """Agents ask each other over A2A, which the Platform may have left out."""
    chosen = graph.platform.interfaces
    if chosen is None or "a2a" in chosen:
        return
    labels = []
    if graph.platform_document is not None:
        labels.append(Label(graph.platform_document.span_of(("spec", "interfaces")), "without `a2a`"))
    help = f"write `interfaces: [{', '.join([*chosen, 'a2a'])}]` in the Platform"
    for tool in _agent_tools(graph):
        if tool.asked and tool.asked.node and tool.document is not None:
            message = f"`{tool.asked.node.metadata.name}` would be asked over A2A, which the Platform leaves out"
            span = tool.document.span_of(("spec", "agent", "name"))
            diagnostics.add("KR387", message, span, labels=labels, help=help)


def _check_circle(start: Node, diagnostics: Diagnostics) -> None:
    path = _path_to(start, start, [])
    if path is None:
        return
    names = " -> ".join(f"`{node.metadata.name}`" for node, _ in path) + f" -> `{start.metadata.name}`"
    tool = path[-1][1]
    if tool.document is not None and start.metadata.name == min(node.metadata.name for node, _ in path):
        span = tool.document.span_of(("spec", "agent"))
        diagnostics.add("KR367", f"agents ask in a circle: {names}", span, help="take one of the tools away")


def _path_to(goal: Node, node: Node, seen: list[tuple[Node, ToolNode]]) -> list[tuple[Node, ToolNode]] | None:
    for tool in (tool for agent in agents_in(node) for tool in agent.tools if tool.asked and tool.asked.node):
        asked = tool.asked.node if tool.asked else None
        if asked is goal:
            return [*seen, (node, tool)]
        if asked is not None and all(asked is not step for step, _ in seen) and asked is not node:
            found = _path_to(goal, asked, [*seen, (node, tool)])
            if found:
                return found
    return None


def admit_callers(graph: Graph, workloads: dict[tuple[str, str], Workload], default: str | None) -> None:
    """Let an asked agent in another namespace be reached by those who ask it."""
    for workload in list(workloads.values()):
        for node in workload.asks:
            place = (workload_namespace(node, graph, default) or "", node.metadata.name)
            asked = workloads.get(place)
            if asked is not None and asked.namespace != workload.namespace and workload.namespace:
                more = Contribution(callers=frozenset({Caller(workload.namespace, port=PORT)}))
                workloads[place] = replace(asked, needs=asked.needs | more)
