"""The Kubernetes workbench: operations within what RBAC grants."""

from typing import Annotated, Literal

from pydantic import Field

from kagent_runtime.model.strict import Component, Strict
from kagent_runtime.model.tool_parameters import ToolParameters

ResourceName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*\.v[0-9][a-z0-9]*(\.[a-z0-9][-a-z0-9.]*)?$")]

# Of these a call may be made again after a crash: they change nothing.
ReadingOperation = Literal[
    "get",
    "describe",
    "logs",
    "events",
    "top",
    "rollout-status",
    "rollout-history",
    "api-resources",
    "explain",
]
ChangingOperation = Literal[
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
Operation = ReadingOperation | ChangingOperation


class KubernetesTool(Strict):
    """One tool: an operation on the resources (`resource.version.group`) and namespaces that RBAC grants."""

    name: str = Field(pattern=r"^[a-zA-Z0-9_.-]{1,64}$")
    operation: Operation
    description: str
    parameters: ToolParameters
    resources: list[ResourceName]
    cluster_resources: list[ResourceName] = Field(default_factory=list)
    namespaces: list[str]
    may_create: bool = False
    commands: list[Annotated[list[str], Field(min_length=1)]] = Field(default_factory=list)


class KubernetesToolsConfig(Strict):
    """Config of the Kubernetes workbench."""

    tools: list[KubernetesTool] = Field(min_length=1)
    timeout_seconds: float = Field(gt=0)
    max_output_bytes: int = Field(ge=1024)


class KubernetesToolsComponent(Component):
    """The Kubernetes workbench of an agent."""

    provider: Literal["kagent_runtime.components.KubernetesTools"]
    component_type: Literal["workbench"]
    config: KubernetesToolsConfig
