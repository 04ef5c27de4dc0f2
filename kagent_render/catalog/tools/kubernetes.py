"""Tool type `kubernetes`: read and change what the Kubernetes API has, within the resources and namespaces granted."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field

from kagent_render.catalog import kubernetes_resources as resources
from kagent_render.catalog.base import AccessRule, Component, LoweredTool, Problem, component
from kagent_render.catalog.fields import SpecModel, Text
from kagent_render.catalog.tools.base import Builtin, ToolDeclaration
from kagent_render.catalog.tools.kubernetes_changing import CHANGING, COMMAND
from kagent_render.catalog.tools.kubernetes_commands import FURTHER, check_commands, in_words
from kagent_render.catalog.tools.kubernetes_operation import ALL_NAMESPACES, Operation
from kagent_render.catalog.tools.kubernetes_reading import READING
from kagent_render.catalog.tools.operations import check_narrowing, narrowed_schema, text
from kagent_render.diagnostics import did_you_mean

NAME = "kubernetes"


Command = Annotated[list[Text], Field(min_length=1)]


class KubernetesBlock(SpecModel):
    """What a kubernetes tool does and where."""

    operation: (
        Literal[
            "get",
            "describe",
            "logs",
            "events",
            "top",
            "rollout-status",
            "rollout-history",
            "api-resources",
            "explain",
            "scale",
            "rollout-restart",
            "rollout-undo",
            "apply",
            "patch",
            "label",
            "annotate",
            "delete",
            "cordon",
            "uncordon",
            "drain",
            "exec",
        ]
        | None
    ) = Field(default=None, description="Default: the built-in of the tool's own name.")
    resources: list[str] | None = Field(
        default=None,
        min_length=1,
        description="Resources it is for; default: the common ones, without secrets.",
    )
    namespaces: list[str] | None = Field(
        default=None, min_length=1, description='Namespaces it is for; default: its own; ["*"]: all.'
    )
    may_create: bool = Field(default=False, description="Whether `apply` may create what is not there yet.")
    commands: list[Command] | None = Field(
        default=None,
        min_length=1,
        description="What `exec` may run: an argument list each, where `*` is any characters but `/`, alone any one "
        "argument, and `...` at the end any further ones; none of them an option.",
    )


# The runtime implements exactly these; tests/contract holds both sides together.
OPERATIONS: dict[str, Operation] = READING | CHANGING

# One that takes commands needs a document that says which.
BUILTINS: dict[str, Builtin] = {
    f"kubectl-{name}": Builtin(NAME, operation.summary)
    for name, operation in OPERATIONS.items()
    if not operation.takes_commands
}


def check(tool: ToolDeclaration) -> Iterable[Problem]:
    """Unknown operation, resource or namespace, and parameters that the operation does not have."""
    operation = _operation_name(tool)
    if operation is None:
        help = did_you_mean(tool.name, BUILTINS) or "add kubernetes: {operation: get}, or another one"
        yield Problem("KR102", f"`{tool.name}` is no built-in, so the operation is missing", (), help)
        return
    yield from _check_resources(tool, operation)
    yield from _check_namespaces(tool.block)
    commands, takes_commands = tool.block and tool.block.commands, OPERATIONS[operation].takes_commands
    yield from check_commands(commands, operation, takes_commands=takes_commands)
    yield from check_narrowing(tool.parameters, OPERATIONS[operation])


def _check_resources(tool: ToolDeclaration, name: str) -> Iterator[Problem]:
    operation = OPERATIONS[name]
    named = tool.block.resources if tool.block else None
    if operation.reads_discovery:
        yield from _check_unlimited(tool.block, name)
        return
    if named and not operation.names_resources:
        place = ("kubernetes", "resources")
        yield Problem("KR104", f"`{name}` is for {operation.only[0]} only", place, "remove `resources`")
        return
    if tool.block and tool.block.may_create and name != "apply":
        yield Problem("KR104", f"`{name}` creates nothing", ("kubernetes", "mayCreate"), "remove `mayCreate`")
    for location, wanted in _named_resources(tool, named):
        item = resources.find(wanted)
        if item is None:
            help = did_you_mean(wanted, resources.names()) or "custom ones: resource.version.group, as in kubectl"
            yield Problem("KR108", f"`{wanted}` is not a Kubernetes resource", location, help)
        elif not operation.accepts(item):
            help = "one of " + ", ".join(operation.only)
            yield Problem("KR104", f"there is no `{name}` of `{wanted}`", location, help)


def _check_unlimited(block: KubernetesBlock | None, name: str) -> Iterator[Problem]:
    """What the API server serves is the same for everyone: there is nothing to narrow."""
    for field, given in (("resources", block and block.resources), ("namespaces", block and block.namespaces)):
        if given:
            message = f"`{name}` reads what the API server serves, of all resources"
            yield Problem("KR104", message, ("kubernetes", field), f"remove `{field}`")


def _named_resources(tool: ToolDeclaration, named: list[str] | None) -> Iterator[tuple[tuple[int | str, ...], str]]:
    for index, name in enumerate(named or ()):
        yield ("kubernetes", "resources", index), name
    choice = (tool.parameters or {}).get("resource")
    for index, name in enumerate((choice and choice.enum) or ()):
        yield ("parameters", "resource", "enum", index), name


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
    return name if name != tool.name and name in OPERATIONS else None


def lower(tool: ToolDeclaration) -> LoweredTool:
    """The runtime's tool config and the RBAC it needs: no verb, resource or namespace more."""
    name = _operation_name(tool)
    assert name is not None, "checked before"
    operation = _with_commands(OPERATIONS[name], tool.block)
    granted = _granted(tool, operation)
    namespaces = list((tool.block and tool.block.namespaces) or ())
    may_create = bool(tool.block and tool.block.may_create)
    config: dict[str, Any] = {
        "name": tool.name,
        "operation": name,
        "description": tool.description or operation.summary,
        "parameters": narrowed_schema(tool.parameters, operation),
        "resources": [item.full_name for item in granted if item.namespaced],
        "namespaces": namespaces,
    }
    if cluster := [item.full_name for item in granted if not item.namespaced]:
        config["cluster_resources"] = cluster
    if may_create:
        config["may_create"] = True
    if operation.takes_commands:
        config["commands"] = [list(pattern) for pattern in tool.block.commands]
    access = set(operation.access(granted, namespaces or [""], ("create",) if may_create else ()))
    if name == "describe":
        access |= set(_events_access(granted, namespaces or [""]))
    return LoweredTool(
        tool.name,
        NAME,
        config,
        frozenset(access),
        needs_kubernetes_api=True,
        effect="changes" if operation.is_changing else "reads",
        is_approved_by_default=not operation.is_changing,
    )


def _with_commands(operation: Operation, block: KubernetesBlock | None) -> Operation:
    """The operation, with the commands where a model looks for what it may give."""
    if not operation.takes_commands or block is None or block.commands is None:
        return operation
    known = "; ".join(f"`{in_words(pattern)}`" for pattern in block.commands)
    about = f"{COMMAND}. It must be one of: {known}"
    if any("*" in part for pattern in block.commands for part in pattern):
        about += ". A `*` stands for what you choose, without `/` inside an argument; an option cannot stand there"
    if any(pattern[-1] == FURTHER for pattern in block.commands):
        about += ". `...` stands for further arguments that are no options"
    return replace(operation, parameters=operation.parameters | {"command": text(about)})


def _granted(tool: ToolDeclaration, operation: Operation) -> list[resources.Resource]:
    choice = (tool.parameters or {}).get("resource")
    wanted = (tool.block and tool.block.resources) or (choice and choice.enum) or operation.defaults
    found = {item.resource + "." + item.group: item for name in wanted if (item := resources.find(name))}
    return [operation.requested(found[key]) for key in sorted(found)]


def _events_access(granted: list[resources.Resource], namespaces: list[str]) -> Iterator[AccessRule]:
    # The events of a described object are in its namespace; those of an object without one, anywhere.
    if namespaces == [ALL_NAMESPACES] or any(item.namespaced for item in granted):
        for namespace in namespaces:
            yield AccessRule(namespace, "", "events", "list")


def workbench(tools: list[LoweredTool]) -> Component:
    """One workbench for all kubernetes tools of an agent."""
    config = {"tools": [tool.config for tool in tools], "timeout_seconds": 30.0, "max_output_bytes": 65536}
    return component("kagent_runtime.components.KubernetesTools", "workbench", config)
