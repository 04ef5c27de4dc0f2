"""Servers of tools: where they run, with which name, who may call them, and whom they may call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from kagent_render.catalog.base import Caller, Contribution, LoweredTool, ServerContainer
from kagent_render.catalog.credentials import is_secret_name
from kagent_render.catalog.fields import DNS_LABEL
from kagent_render.catalog.tools.mcp import McpBlock
from kagent_render.diagnostics import Diagnostics, Label
from kagent_render.lower.agent import lower_tool
from kagent_render.lower.workload import ServerWorkload, Workload
from kagent_render.resolve import AgentNode, Graph, ToolNode
from kagent_render.specs.pod import Placement
from kagent_render.specs.secrets import has_secret

_SERVER = ("spec", "mcp", "server")
# Of the Platform's defaults for pods: where they run and with which credentials they are pulled. The rest is of agents.
_PLACEMENT = ("node_selector", "tolerations", "priority_class_name", "image_pull_secrets")
Key = tuple[str, str]


def place_servers(graph: Graph, default_namespace: str | None) -> None:
    """Tell every tool whose server has a Deployment the namespace that it is in: the tool's own."""
    for tool in (*graph.tools, *(tool for agent in graph.agents for tool in agent.tools)):
        if tool.served is not None and tool.metadata is not None:
            tool.served.namespace = tool.metadata.namespace or default_namespace or graph.platform.namespace


def check_servers(tools: Iterable[ToolNode], diagnostics: Diagnostics) -> None:
    """A name that no Service could have, and credentials in the environment."""
    for tool in tools:
        block = tool.declaration.block
        if tool.document is None or not isinstance(block, McpBlock) or block.server is None:
            continue
        name = tool.declaration.name
        if block.server.placement == "Deployment" and not DNS_LABEL.match(name):
            help = "wanted: lower-case letters, digits and `-`, starting with a letter, at most 63 characters"
            span = tool.document.span_of(("metadata", "name"))
            diagnostics.add("KR105", f"the Service of a server cannot be called `{name}`", span, help=help)
        for index, item in enumerate(block.server.env):
            # A value that looks like a credential is found wherever it stands; this is one by its name.
            if item.value and is_secret_name(item.name) and not has_secret(item.value):
                span = tool.document.span_of((*_SERVER, "env", index, "value"))
                help = "secretRef: {name: …, key: …} in place of the value"
                diagnostics.add("KR106", f"`{item.name}` holds a credential", span, help=help, sensitive=True)


def sidecars_of(tools: Iterable[LoweredTool]) -> tuple[ServerContainer, ...]:
    """The containers beside an agent, by name; tools whose servers are the same share one."""
    found: list[ServerContainer] = []
    for server in sorted((tool.server for tool in tools if tool.server), key=lambda server: server.name):
        if server.is_sidecar and not any(server.is_same(other) for other in found):
            found.append(server)
    return tuple(found)


def servers_of(agents: Iterable[AgentNode]) -> tuple[ToolNode, ...]:
    """The tools of these agents whose servers have a Deployment, each once."""
    served = (tool for agent in agents for tool in agent.tools if tool.served)
    found = {
        id(tool.document): tool for tool in served if (server := lower_tool(tool).server) and not server.is_sidecar
    }
    return tuple(found.values())


def lower_servers(
    workloads: Mapping[Key, Workload], graph: Graph, resolve: Callable[[str], str], diagnostics: Diagnostics
) -> list[ServerWorkload]:
    """A workload for each server that some agent uses, sorted by namespace and name."""
    users: dict[Key, list[Workload]] = {}
    tools: dict[Key, ToolNode] = {}
    for key in sorted(workloads):
        for tool in workloads[key].servers:
            place = (_namespace(tool) or "", tool.declaration.name)
            users.setdefault(place, []).append(workloads[key])
            if tools.setdefault(place, tool).document is not tool.document:
                _report_clash(tool, f"the server of another Tool `{place[1]}`", diagnostics)
    for place, tool in tools.items():
        if other := workloads.get(place):
            _report_clash(tool, f"{other.kind} `{other.name}`", diagnostics, other)
        _check_namespace(tool, users[place], diagnostics)
    free = sorted(tools.keys() - workloads.keys())
    return [_server_workload(tools[place], users[place], graph, resolve) for place in free]


def _namespace(tool: ToolNode) -> str | None:
    return tool.served.namespace if tool.served else None


def _report_clash(tool: ToolNode, what: str, diagnostics: Diagnostics, other: Workload | None = None) -> None:
    assert tool.document is not None
    labels = [Label(other.origin, "the other one")] if other else []
    message = f"the server of Tool `{tool.declaration.name}` would write the objects of {what}"
    span = tool.document.span_of(("metadata", "name"))
    diagnostics.add("KR205", message, span, labels=labels, help="rename one of them")


def _check_namespace(tool: ToolNode, users: Sequence[Workload], diagnostics: Diagnostics) -> None:
    """Users that know their namespace have to know that of the server too, to find it."""
    far = next((user for user in users if user.namespace), None)
    if _namespace(tool) is None and far is not None:
        assert tool.document is not None
        message = f"the server of `{tool.declaration.name}` has no namespace, and `{far.name}` is in `{far.namespace}`"
        help = f"set metadata.namespace: {far.namespace}, or pass --namespace"
        diagnostics.add("KR310", message, tool.document.span_of(("metadata", "name")), help=help)


def _server_workload(
    tool: ToolNode, users: Sequence[Workload], graph: Graph, resolve: Callable[[str], str]
) -> ServerWorkload:
    assert tool.document is not None
    assert tool.metadata is not None
    server = lower_tool(tool).server
    assert server is not None
    server = replace(server, image=resolve(server.image))
    callers = {Caller(user.namespace or "", (user.own_label,), server.port) for user in users}
    return ServerWorkload(
        name=tool.declaration.name,
        kind="Tool",
        namespace=_namespace(tool),
        labels=tool.metadata.labels,
        annotations=tool.metadata.annotations,
        origin=tool.document.span_of(("metadata", "name")),
        needs=Contribution(frozenset(server.variables), endpoints=server.endpoints, callers=frozenset(callers)),
        needs_kubernetes_api=False,
        replicas=server.replicas,
        resources=server.resources,
        placement=_placement(graph.platform.workload),
        image=server.image,
        platform=graph.platform,
        server=server,
    )


def _placement(defaults: Placement) -> Placement:
    return Placement.model_construct(**{name: getattr(defaults, name) for name in _PLACEMENT})
