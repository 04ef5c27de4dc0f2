"""Tool type `helm`: what is installed, since when, with which values; and changes of it, by the helm program.

Helm keeps releases in Secrets (helm.sh/release.v1). RBAC cannot tell them from others, so a helm tool can read every
Secret of its namespaces; the runtime asks for Helm's own only, and masks what Secrets are made of.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from pydantic import Field

from kagent_render.catalog.base import AccessRule, Component, LoweredTool, Problem, component
from kagent_render.catalog.fields import NAMESPACE, SpecModel, Text
from kagent_render.catalog.tools.base import Builtin, ToolDeclaration
from kagent_render.catalog.tools.helm_changing import (
    CHANGES,
    HelmChart,
    check_chart,
    check_resources,
    endpoints_of,
    granted,
    operation_for,
)
from kagent_render.catalog.tools.operations import Operation, check_narrowing, narrowed_schema, number, text
from kagent_render.catalog.tools.remote import Needs
from kagent_render.diagnostics import did_you_mean

NAME = "helm"
ALL_NAMESPACES = "*"


class HelmBlock(SpecModel):
    """What a helm tool does and where."""

    operation: (
        Literal[
            "list", "status", "values", "manifest", "history", "diff", "install", "upgrade", "rollback", "uninstall"
        ]
        | None
    ) = Field(default=None, description="Default: the built-in of the tool's own name.")
    namespaces: list[str] | None = Field(
        default=None, min_length=1, description='Namespaces whose releases it is for; default: its own; ["*"]: all.'
    )
    chart: HelmChart | None = Field(default=None, description="What `install` and `upgrade` install.")
    releases: list[Text] | None = Field(
        default=None, min_length=1, description="The only releases it may change; default: any."
    )
    resources: list[Text] | None = Field(
        default=None,
        min_length=1,
        description="What its charts may be made of, as RBAC; default: what applications usually are made of.",
    )
    hooks: bool = Field(default=False, description="Whether hooks of the chart run, such as a Job before an upgrade.")
    timeout_seconds: float | None = Field(
        default=None, gt=0, le=3600, description="One call; default: 30 to read, 300 to change."
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
    "diff": Operation(
        {
            "release": _RELEASE,
            "namespace": _SPACE,
            "from": number("Revision to compare with; default: the one before `to`"),
            "to": number("Revision that is compared; default: the newest"),
        },
        ("release",),
    ),
}
_SUMMARIES = {
    "list": "List the Helm releases of a namespace, with chart, revision and state.",
    "status": "Show one Helm release: chart, revision, state and when it was deployed.",
    "values": "Show the values that a Helm release was installed with; credentials are masked.",
    "manifest": "Show the manifests of a Helm release; the contents of Secrets are masked.",
    "history": "List the revisions of a Helm release, oldest first.",
    "diff": "Show what changed between two revisions of a Helm release: values and objects; credentials are masked.",
}
READING: tuple[str, ...] = tuple(f"helm-{name}" for name in _SUMMARIES)
# Those that take a chart need a document that says which.
BUILTINS: dict[str, Builtin] = {f"helm-{name}": Builtin(NAME, summary) for name, summary in _SUMMARIES.items()} | {
    f"helm-{name}": Builtin(NAME, change.summary) for name, change in CHANGES.items() if not change.takes_chart
}
_CHANGING_ONLY = ("releases", "resources", "hooks")


def check(tool: ToolDeclaration) -> Iterable[Problem]:
    """Unknown operation or namespace, and parameters that the operation does not have."""
    operation = _operation(tool)
    if operation is None:
        help = did_you_mean(tool.name, BUILTINS) or "add helm: {operation: list}, or another one"
        yield Problem("KR102", f"`{tool.name}` is no built-in, so the operation is missing", (), help)
        return
    yield from _check_namespaces(tool.block)
    if tool.block:
        yield from check_chart(tool.block.chart, operation)
        yield from _check_changing(tool.block, operation)
    yield from check_narrowing(tool.parameters, _declared(tool, operation))


def _check_changing(block: HelmBlock, operation: str) -> Iterator[Problem]:
    yield from check_resources(block.resources)
    for field in _CHANGING_ONLY if operation not in CHANGES else ():
        if getattr(block, field):
            message = f"`{field}` is for what changes releases, not for `{operation}`"
            yield Problem("KR104", message, ("helm", field), f"remove `{field}`")


def _declared(tool: ToolDeclaration, operation: str) -> Operation:
    if operation in OPERATIONS:
        return OPERATIONS[operation]
    block = tool.block or HelmBlock()
    return operation_for(operation, block.chart, block.releases)


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
    block = tool.block or HelmBlock()
    change, needs = CHANGES.get(name), Needs(tool.name)
    namespaces = list(block.namespaces or ())
    config: dict[str, Any] = {
        "name": tool.name,
        "operation": name,
        "description": tool.description or (change.summary if change else _SUMMARIES[name]),
        "parameters": narrowed_schema(tool.parameters, _declared(tool, name)),
        "namespaces": namespaces,
        "timeout_seconds": float(block.timeout_seconds or (300 if change else 30)),
        "max_bytes": 65536,
    }
    # Releases are found by their labels, so that listing is enough.
    access = frozenset(AccessRule(namespace, "", "secrets", "list") for namespace in namespaces or [""])
    if change is None:
        return LoweredTool(tool.name, NAME, config, access, needs_kubernetes_api=True, effect="reads")
    config |= {"releases": list(block.releases or ()), "hooks": block.hooks}
    if block.chart:
        config["chart"] = _chart(block.chart, needs)
    access = frozenset(change.access(granted(block.resources), namespaces or [""], hooks=block.hooks))
    return LoweredTool(
        tool.name,
        NAME,
        config,
        access,
        needs_kubernetes_api=True,
        needs=needs.contribution(*(endpoints_of(block.chart) if block.chart else ())),
        effect="changes",
        is_approved_by_default=False,
    )


def _chart(chart: HelmChart, needs: Needs) -> dict[str, Any]:
    """The chart as the runtime asks Helm for it."""
    config: dict[str, Any] = {"name": chart.name}
    if chart.repository is not None:
        config["repository"] = chart.repository
    if chart.version is not None:
        config["version"] = chart.version
    if chart.plain_http:
        config["plain_http"] = True
    if reference := chart.registry_config_secret_ref:
        config["registry_config"] = needs.file("registry", reference, "config.json")
    if tls := needs.tls(chart.tls):
        config["tls"] = tls
    return config


def workbench(tools: list[LoweredTool]) -> Component:
    """One workbench for all helm tools of an agent."""
    return component("kagent_runtime.components.HelmTools", "workbench", {"tools": [tool.config for tool in tools]})
