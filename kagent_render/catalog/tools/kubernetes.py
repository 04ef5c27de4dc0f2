"""Tool type `kubernetes`: read from the Kubernetes API, within exactly the resources and namespaces granted."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from kagent_render.catalog import kubernetes_resources as resources
from kagent_render.catalog.base import AccessRule, Component, LoweredTool, Problem, component
from kagent_render.catalog.fields import SpecModel
from kagent_render.catalog.tools.base import Builtin, ToolDeclaration
from kagent_render.catalog.tools.operations import check_narrowing, narrowed_schema
from kagent_render.diagnostics import did_you_mean

NAME = "kubernetes"
ALL_NAMESPACES = "*"


class KubernetesBlock(SpecModel):
    """What a kubernetes tool does and where."""

    operation: Literal["get", "describe", "logs"] | None = Field(
        default=None, description="Default: the built-in of the tool's own name."
    )
    resources: list[str] | None = Field(
        default=None,
        min_length=1,
        description="Resources it may read; default: the common ones, without secrets.",
    )
    namespaces: list[str] | None = Field(
        default=None, min_length=1, description='Namespaces it may read; default: its own; ["*"]: all.'
    )


@dataclass(frozen=True, slots=True)
class Operation:
    """A built-in operation: its arguments (JSON Schema properties), the required ones, the verbs it uses."""

    summary: str
    parameters: dict[str, dict[str, Any]]
    required: tuple[str, ...]
    verbs: tuple[str, ...]


_NAMESPACE = {"type": "string", "description": "Namespace; default: the agent's own"}
_RESOURCE = {"type": "string", "description": "Resource type, such as pods, services, deployments"}

# The runtime implements exactly these; tests/contract holds both sides together.
OPERATIONS: dict[str, Operation] = {
    "get": Operation(
        "List Kubernetes resources as a table, or get one by name. Use it first, to see what is there.",
        {
            "resource": _RESOURCE,
            "name": {"type": "string", "description": "Name of one object; default: list all"},
            "namespace": _NAMESPACE,
            "labelSelector": {"type": "string", "description": "Label selector, such as app=checkout"},
            "fieldSelector": {"type": "string", "description": "Field selector, such as status.phase=Failed"},
            "output": {"type": "string", "enum": ["table", "yaml"], "description": "table (default) or yaml"},
        },
        ("resource",),
        ("get", "list"),
    ),
    "describe": Operation(
        "Describe one Kubernetes object: its spec, status, conditions and recent events.",
        {
            "resource": _RESOURCE,
            "name": {"type": "string", "description": "Name of the object"},
            "namespace": _NAMESPACE,
        },
        ("resource", "name"),
        ("get",),
    ),
    "logs": Operation(
        "Read the logs of a pod's container.",
        {
            "pod": {"type": "string", "description": "Name of the pod"},
            "namespace": _NAMESPACE,
            "container": {"type": "string", "description": "Container; needed when the pod has several"},
            "previous": {"type": "boolean", "description": "Logs of the instance before the last restart"},
            "tailLines": {"type": "integer", "description": "Lines from the end; default 200"},
            "sinceSeconds": {"type": "integer", "description": "Only lines newer than this many seconds"},
        },
        ("pod",),
        ("get",),
    ),
}

BUILTINS: dict[str, Builtin] = {
    f"kubectl-{name}": Builtin(NAME, operation.summary) for name, operation in OPERATIONS.items()
}


def check(tool: ToolDeclaration) -> Iterable[Problem]:
    """Unknown operation, resource or namespace, and parameters that the operation does not have."""
    operation = _operation_name(tool)
    if operation is None:
        help = did_you_mean(tool.name, BUILTINS) or "add kubernetes: {operation: get}, describe or logs"
        yield Problem("KR102", f"`{tool.name}` is no built-in, so the operation is missing", (), help)
        return
    yield from _check_resources(tool, operation)
    yield from _check_namespaces(tool.block)
    yield from check_narrowing(tool.parameters, OPERATIONS[operation])


def _check_resources(tool: ToolDeclaration, operation: str) -> Iterator[Problem]:
    named = tool.block.resources if tool.block else None
    if named and operation == "logs":
        yield Problem("KR104", "`logs` reads pods only", ("kubernetes", "resources"), "remove `resources`")
        return
    places: list[tuple[tuple[int | str, ...], str]] = [
        (("kubernetes", "resources", index), name) for index, name in enumerate(named or ())
    ]
    choice = (tool.parameters or {}).get("resource")
    places += [(("parameters", "resource", "enum", i), name) for i, name in enumerate((choice and choice.enum) or ())]
    for location, name in places:
        if resources.find(name) is None:
            help = did_you_mean(name, resources.names()) or "custom ones: resource.version.group, as in kubectl"
            yield Problem("KR108", f"`{name}` is not a Kubernetes resource", location, help)


def _check_namespaces(block: KubernetesBlock | None) -> Iterator[Problem]:
    for index, name in enumerate((block and block.namespaces) or ()):
        place = ("kubernetes", "namespaces", index)
        if name == ALL_NAMESPACES and block and len(block.namespaces or ()) > 1:
            yield Problem("KR104", '"*" is all namespaces already', place, "keep either the names or the star")
        elif name != ALL_NAMESPACES and not _is_namespace(name):
            yield Problem("KR105", f"`{name}` is not a namespace name", place, None)


def _is_namespace(name: str) -> bool:
    from kagent_render.catalog.fields import NAMESPACE

    return NAMESPACE.match(name) is not None


def _operation_name(tool: ToolDeclaration) -> str | None:
    if tool.block and tool.block.operation:
        return str(tool.block.operation)
    name = tool.name.removeprefix("kubectl-")
    return name if tool.name in BUILTINS else None


def lower(tool: ToolDeclaration) -> LoweredTool:
    """The runtime's tool config and the RBAC it needs: no verb, resource or namespace more."""
    name = _operation_name(tool)
    assert name is not None, "checked before"
    operation = OPERATIONS[name]
    granted = _granted(tool, name)
    namespaces = list((tool.block and tool.block.namespaces) or ())
    config = {
        "name": tool.name,
        "operation": name,
        "description": tool.description or operation.summary,
        "parameters": narrowed_schema(tool.parameters, operation),
        "resources": [item.full_name for item in granted if item.namespaced],
        "namespaces": namespaces,
    }
    if cluster := [item.full_name for item in granted if not item.namespaced]:
        config["cluster_resources"] = cluster
    access = frozenset(_access(name, operation, granted, namespaces or [""]))
    return LoweredTool(tool.name, NAME, config, access, needs_kubernetes_api=True, effect="reads")


def _granted(tool: ToolDeclaration, operation: str) -> list[resources.Resource]:
    if operation == "logs":
        wanted: Iterable[str] = ("pods",)
    else:
        choice = (tool.parameters or {}).get("resource")
        wanted = (tool.block and tool.block.resources) or (choice and choice.enum) or resources.READ_DEFAULT
    found = {item.resource + "." + item.group: item for name in wanted if (item := resources.find(name))}
    return [found[key] for key in sorted(found)]


def _access(
    name: str, operation: Operation, granted: list[resources.Resource], namespaces: list[str]
) -> Iterator[AccessRule]:
    for item in granted:
        scopes = namespaces if item.namespaced else [ALL_NAMESPACES]
        path = f"{item.resource}/log" if name == "logs" else item.resource
        for namespace in scopes:
            for verb in operation.verbs:
                yield AccessRule(namespace, item.group, path, verb)
    # The events of a described object are in its namespace; those of an object without one, anywhere.
    if name == "describe" and (namespaces == [ALL_NAMESPACES] or any(item.namespaced for item in granted)):
        for namespace in namespaces:
            yield AccessRule(namespace, "", "events", "list")


def workbench(tools: list[LoweredTool]) -> Component:
    """One workbench for all kubernetes tools of an agent."""
    config = {"tools": [tool.config for tool in tools], "timeout_seconds": 30.0, "max_output_bytes": 65536}
    return component("kagent_runtime.components.KubernetesTools", "workbench", config)
