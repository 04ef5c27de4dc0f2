"""The graph to workloads: who runs on its own, with which config, permissions, secrets and endpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial, reduce
from operator import or_
from typing import Any

from pydantic.alias_generators import to_camel

from kagent_render.catalog.base import Component, Contribution, Variable
from kagent_render.diagnostics import Diagnostics, Label
from kagent_render.lower import agent_parts
from kagent_render.lower import queue as queues
from kagent_render.lower.agent import assistant, check_tools, lower_tools
from kagent_render.lower.asked import (
    admit_callers,
    check_asked,
    fill_addresses,
    workload_namespace,
    workload_scaling,
    workload_type,
)
from kagent_render.lower.cost_checks import check_cost
from kagent_render.lower.features.registry import with_features
from kagent_render.lower.grants import check_grants
from kagent_render.lower.image import resolve_image
from kagent_render.lower.model import model_needs
from kagent_render.lower.model_checks import check_model
from kagent_render.lower.modules import check_modules
from kagent_render.lower.names import autogen_id, model_prefix
from kagent_render.lower.servers import check_servers, lower_servers, place_servers, servers_of, sidecars_of
from kagent_render.lower.sidecar_checks import check_sidecars
from kagent_render.lower.team import agents_in, agents_of, check_team, lower_team, models_of, team_description
from kagent_render.lower.tool_names import check_tool_names
from kagent_render.lower.workload import Place, ServerWorkload, Workload
from kagent_render.resolve import AgentNode, Graph, ModelNode, TeamNode
from kagent_render.source import ImageLock
from kagent_render.specs.pod import Placement

RUNTIME_CONFIG_VERSION = "runtime.kagent.dev/v1"


def lower(
    graph: Graph, default_namespace: str | None, lock: ImageLock, diagnostics: Diagnostics
) -> tuple[list[Workload], list[ServerWorkload]]:
    """Every agent and team that runs, and the servers of their tools, by namespace and name. Defects go to
    `diagnostics`."""
    models = {id(model): model for model in _all_models(graph)}
    for model in models.values():
        check_model(model, diagnostics)
    check_tools(graph.tools, diagnostics)  # those that nobody uses too: `describe` shows them
    check_servers(graph.tools, diagnostics)
    healthy = {id(agent): check_tools(agent.tools, diagnostics) for agent in graph.agents}
    for agent in graph.agents:
        if healthy[id(agent)]:
            check_tool_names(agent, diagnostics)
            check_grants(agent, diagnostics)
        agent_parts.check_memory(agent, diagnostics)
    agent_parts.check_limits(graph, diagnostics)
    workloads: dict[tuple[str, str], Workload] = {}
    resolve = cache(partial(resolve_image, graph=graph, lock=lock, diagnostics=diagnostics))
    fill_addresses(graph, default_namespace)
    place_servers(graph, default_namespace)
    runnable = list(_runnable(graph, healthy, diagnostics))
    check_asked(graph, runnable, diagnostics)
    check_modules(graph, diagnostics)
    for node in runnable:
        workload = with_features(_workload(node, graph, default_namespace, resolve))
        first = workloads.setdefault((workload.namespace or "", workload.name), workload)
        if first is not workload:
            message = f"{workload.kind} `{workload.name}` would write the objects of {first.kind} `{first.name}`"
            diagnostics.add("KR205", message, workload.origin, help="rename one of them")
        _check_namespace(workload, diagnostics)
        _check_variables(node, diagnostics)
        check_sidecars(workload, agents_in(node), diagnostics)
        check_cost(node, diagnostics)
    admit_callers(graph, workloads, default_namespace)
    servers = lower_servers(workloads, graph, resolve, diagnostics)
    return [workloads[key] for key in sorted(workloads)], servers


def _all_models(graph: Graph) -> Iterator[ModelNode]:
    seen: set[tuple[str | None, str]] = set()
    candidates = [model for agent in graph.agents for model in (agent.model, agent.memory_model) if model]
    candidates += [model for team in graph.teams for model in (team.selector_model, team.orchestrator_model) if model]
    for model in candidates:
        key = (model.metadata.namespace, model.metadata.name)
        if key not in seen:
            seen.add(key)
            yield model


def _runnable(graph: Graph, healthy: dict[int, bool], diagnostics: Diagnostics) -> Iterator[AgentNode | TeamNode]:
    for agent in graph.agents:
        _check_handoffs_used(agent, graph, diagnostics)
        if healthy[id(agent)] and (agent.spec.standalone or not graph.teams_of(agent)):
            yield agent
    for team in graph.teams:
        if team.is_whole and all(healthy[id(agent)] for agent in agents_of(team)):
            errors = diagnostics.error_count
            check_team(team, diagnostics)
            if diagnostics.error_count == errors and (team.spec.standalone or not graph.teams_of(team)):
                yield team


def _check_handoffs_used(agent: AgentNode, graph: Graph, diagnostics: Diagnostics) -> None:
    in_swarm = any(team.spec.team_type == "Swarm" for team in graph.teams_of(agent))
    if agent.spec.handoffs and not in_swarm and all(team.is_whole for team in graph.teams):
        span = agent.document.key_span_of(("spec", "handoffs"))
        help = "list it in an AgentTeam with `teamType: Swarm`, or remove the handoffs"
        diagnostics.add("KR303", f"no Swarm lists `{agent.metadata.name}`", span, help=help)


def _check_variables(node: AgentNode | TeamNode, diagnostics: Diagnostics) -> None:
    """Two models must not read their keys and headers from one variable, nor mount certificates at one place."""
    first: dict[str, ModelNode] = {}
    for model in models_of(node):
        names = {model_prefix(model.metadata.name), *(variable.name for variable in model_needs(model).variables)}
        others = [first.setdefault(name, model) for name in sorted(names)]
        if other := next((other for other in others if other.document is not model.document), None):
            label = Label(other.document.span_of(("metadata", "name")), "the other one")
            message = f"`{model.metadata.name}` and `{other.metadata.name}` would share environment variables"
            span = model.document.span_of(("metadata", "name"))
            diagnostics.add("KR324", message, span, labels=[label], help="rename one of them")


def _check_namespace(workload: Workload, diagnostics: Diagnostics) -> None:
    if workload.access and workload.namespace is None:
        message = f"`{workload.name}` has tools that need RBAC, and no namespace"
        help = "set metadata.namespace, or pass --namespace"
        diagnostics.add("KR310", message, workload.origin, help=help)


def _workload(
    node: AgentNode | TeamNode, graph: Graph, default_namespace: str | None, resolve: Callable[[str], str]
) -> Workload:
    agents = agents_in(node)
    models = list(models_of(node))
    tools = [tool for agent in agents for tool in lower_tools(agent)]
    namespace = workload_namespace(node, graph, default_namespace)
    needs = reduce(or_, (model_needs(model) for model in models), Contribution())
    if modules := sorted({module for tool in tools for module in tool.modules}):
        needs |= Contribution(frozenset({Variable("KAGENT_PYTHON_MODULES", ",".join(modules))}))
    defaults, override = graph.platform.workload, node.spec.workload
    persistence = override.persistence or graph.platform.persistence
    queue = queues.named(override.queue or graph.platform.queue, node.metadata.name)
    kind = "Agent" if isinstance(node, AgentNode) else "AgentTeam"
    # As the runtime tells workloads of one database apart; without a namespace it reads the pod's.
    identity = f"{namespace or 'default'} {kind} {node.metadata.name}"
    return Workload(
        name=node.metadata.name,
        kind=kind,
        namespace=namespace,
        description=node.spec.description if isinstance(node, AgentNode) else team_description(node),
        labels=node.metadata.labels,
        annotations=node.metadata.annotations,
        origin=node.document.span_of(("metadata", "name")),
        runtime_config=_runtime_config(node, agents, namespace) | queues.settings(queue),
        access=tuple(sorted({rule for tool in tools for rule in tool.access})),
        needs_kubernetes_api=any(tool.needs_kubernetes_api for tool in tools),
        needs=reduce(or_, (tool.needs for tool in tools), needs),
        replicas=override.replicas if override.replicas is not None else defaults.replicas,
        resources=override.resources or defaults.resources,
        placement=_placement(defaults, override),
        image=resolve(graph.platform.image),
        scaling=queues.counted(workload_scaling(node, graph), queue, persistence, identity),
        platform=graph.platform,
        type=workload_type(node, graph),
        knative=override.knative or graph.platform.knative,
        persistence=persistence,
        queue=queue,
        python_files=tuple(sorted({file for tool in tools for file in tool.files})),
        asks=tuple(tool.asked.node for agent in agents for tool in agent.tools if tool.asked and tool.asked.node),
        sidecars=tuple(replace(server, image=resolve(server.image)) for server in sidecars_of(tools)),
        servers=servers_of(agents),
        places=_places(node, graph),
    )


def _places(node: AgentNode | TeamNode, graph: Graph) -> dict[str, Place]:
    """Where each part was said: in the Platform, unless the workload says it itself."""
    places: dict[str, Place] = {}
    if graph.platform_document is not None:
        names = graph.platform.model_fields_set
        places = {name: Place(graph.platform_document, ("spec", to_camel(name))) for name in names}
        shared = graph.platform.workload.model_fields_set
        places |= {name: Place(graph.platform_document, ("spec", "workload", to_camel(name))) for name in shared}
    own = node.spec.workload.model_fields_set
    return places | {name: Place(node.document, ("spec", "workload", to_camel(name))) for name in own}


def _placement(defaults: Placement, override: Placement) -> Placement:
    """Field by field: what the workload sets, else the Platform's."""
    chosen = {name: getattr(override, name) for name in Placement.model_fields}
    fallback = {name: getattr(defaults, name) for name in Placement.model_fields}
    merged = {name: value if value is not None else fallback[name] for name, value in chosen.items()}
    return Placement.model_construct(**merged)


def _runtime_config(node: AgentNode | TeamNode, agents: list[AgentNode], namespace: str | None) -> dict[str, Any]:
    kind = "Agent" if isinstance(node, AgentNode) else "AgentTeam"
    metadata = {"name": node.metadata.name, "kind": kind} | ({"namespace": namespace} if namespace else {})
    tree: Component = assistant(node) if isinstance(node, AgentNode) else lower_team(node)
    summaries = [_agent_summary(agent) for agent in agents]
    return {
        "apiVersion": RUNTIME_CONFIG_VERSION,
        "kind": "RuntimeConfig",
        "metadata": metadata,
        "description": node.spec.description if isinstance(node, AgentNode) else team_description(node),
        "agents": summaries,
        **agent_parts.run_settings(node, summaries),
        "component": tree,
    }


def _agent_summary(agent: AgentNode) -> dict[str, Any]:
    approvals = agent_parts.approvals(agent, lower_tools(agent))
    return {
        "id": autogen_id(agent.metadata.name),
        "name": agent.metadata.name,
        "description": agent.spec.description,
        "model": agent.model.metadata.name,
        "tools": [tool.declaration.name for tool in agent.tools],
        **({"requiresApproval": approvals} if approvals else {}),
    }
