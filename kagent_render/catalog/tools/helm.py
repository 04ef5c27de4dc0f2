"""Tool type `helm`: what is installed, since when, with which values. Reads only, from Helm's release Secrets.

Helm keeps releases in Secrets (helm.sh/release.v1). RBAC cannot tell them from others, so a helm tool can read every
Secret of its namespaces; the runtime asks for Helm's own only, and masks what Secrets are made of.
"""

from collections.abc import Iterable, Iterator
from typing import Literal

from pydantic import Field

from kagent_render.catalog.base import AccessRule, Component, LoweredTool, Problem, component
from kagent_render.catalog.fields import NAMESPACE, SpecModel
from kagent_render.catalog.tools.base import Builtin, ToolDeclaration
from kagent_render.catalog.tools.operations import Operation, check_narrowing, narrowed_schema, number, text
from kagent_render.diagnostics import did_you_mean

NAME = "helm"
ALL_NAMESPACES = "*"


class HelmBlock(SpecModel):
    """What a helm tool does and where."""

    operation: Literal["list", "status", "values", "manifest", "history"] | None = Field(
        default=None, description="Default: the built-in of the tool's own name."
    )
    namespaces: list[str] | None = Field(
        default=None, min_length=1, description='Namespaces whose releases it may read; default: its own; ["*"]: all.'
    )


_RELEASE, _SPACE = text("Name of the release"), text("Namespace of the release; default: the agent's own")
_REVISION = number("Revision of the release; default: the newest")

# The runtime implements exactly these; tests/contract holds both sides together.
OPERATIONS: dict[str, Operation] = {
    "list": Operation({"namespace": _SPACE, "filter": text("Only releases whose name contains this")}),
    "status": Operation({"release": _RELEASE, "namespace": _SPACE, "revision": _REVISION}, ("release",)),
    "values": Operation({"release": _RELEASE, "namespace": _SPACE, "revision": _REVISION}, ("release",)),
    "manifest": Operation({"release": _RELEASE, "namespace": _SPACE, "revision": _REVISION}, ("release",)),
    "history": Operation({"release": _RELEASE, "namespace": _SPACE}, ("release",)),
}
_SUMMARIES = {
    "list": "List the Helm releases of a namespace, with chart, revision and state.",
    "status": "Show one Helm release: chart, revision, state and when it was deployed.",
    "values": "Show the values that a Helm release was installed with; credentials are masked.",
    "manifest": "Show the manifests of a Helm release; the contents of Secrets are masked.",
    "history": "List the revisions of a Helm release, oldest first.",
}
BUILTINS: dict[str, Builtin] = {f"helm-{name}": Builtin(NAME, summary) for name, summary in _SUMMARIES.items()}


def check(tool: ToolDeclaration) -> Iterable[Problem]:
    """Unknown operation or namespace, and parameters that the operation does not have."""
    operation = _operation(tool)
    if operation is None:
        help = did_you_mean(tool.name, BUILTINS) or "add helm: {operation: list}, status, values, manifest or history"
        yield Problem("KR102", f"`{tool.name}` is no built-in, so the operation is missing", (), help)
        return
    yield from _check_namespaces(tool.block)
    yield from check_narrowing(tool.parameters, OPERATIONS[operation])


def _check_namespaces(block: HelmBlock | None) -> Iterator[Problem]:
    names = (block and block.namespaces) or []
    for index, name in enumerate(names):
        place = ("helm", "namespaces", index)
        if name == ALL_NAMESPACES and len(names) > 1:
            yield Problem("KR104", '"*" is all namespaces already', place, "keep either the names or the star")
        elif name != ALL_NAMESPACES and not NAMESPACE.match(name):
            yield Problem("KR105", f"`{name}` is not a namespace name", place, None)


def _operation(tool: ToolDeclaration) -> str | None:
    if tool.block and tool.block.operation:
        return str(tool.block.operation)
    return tool.name.removeprefix("helm-") if tool.name in BUILTINS else None


def lower(tool: ToolDeclaration) -> LoweredTool:
    """The runtime's tool config, and the one verb that it needs."""
    name = _operation(tool)
    assert name is not None, "checked before"
    namespaces = list((tool.block and tool.block.namespaces) or ())
    config = {
        "name": tool.name,
        "operation": name,
        "description": tool.description or _SUMMARIES[name],
        "parameters": narrowed_schema(tool.parameters, OPERATIONS[name]),
        "namespaces": namespaces,
        "timeout_seconds": 30.0,
        "max_bytes": 65536,
    }
    # Releases are found by their labels, so that listing is enough.
    access = frozenset(AccessRule(namespace, "", "secrets", "list") for namespace in namespaces or [""])
    return LoweredTool(tool.name, NAME, config, access, needs_kubernetes_api=True, effect="reads")


def workbench(tools: list[LoweredTool]) -> Component:
    """One workbench for all helm tools of an agent."""
    return component("kagent_runtime.components.HelmTools", "workbench", {"tools": [tool.config for tool in tools]})
