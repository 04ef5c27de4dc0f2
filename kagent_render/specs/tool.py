"""Kind Tool: something an agent may do."""

from typing import Literal

from pydantic import Field

from kagent_render.catalog.fields import SpecModel, Text
from kagent_render.catalog.tools.agent import AgentBlock
from kagent_render.catalog.tools.alertmanager import AlertmanagerBlock
from kagent_render.catalog.tools.base import Parameter
from kagent_render.catalog.tools.github import GithubBlock
from kagent_render.catalog.tools.helm import HelmBlock
from kagent_render.catalog.tools.http import HttpBlock
from kagent_render.catalog.tools.kubernetes import KubernetesBlock
from kagent_render.catalog.tools.mcp import McpBlock
from kagent_render.catalog.tools.prometheus import PrometheusBlock
from kagent_render.catalog.tools.python import PythonBlock
from kagent_render.specs.base import Metadata


class ToolSpec(SpecModel):
    """What a tool is: its type, what the model is told, and one block named after the type."""

    type: Literal[
        "kubernetes",
        "helm",
        "agent",
        "python",
        "mcp",
        "github",
        "http",
        "prometheus",
        "alertmanager",
    ] = Field(description="What it does; the block of the same name says how.")
    description: Text = Field(description="What the model reads to decide when to call it.")
    parameters: dict[str, Parameter] | None = Field(
        default=None,
        description="The arguments. Where the type has operations, they narrow its own; default: all of them.",
    )
    kubernetes: KubernetesBlock | None = Field(default=None, description="Of a Tool of type kubernetes.")
    helm: HelmBlock | None = Field(default=None, description="Of a Tool of type helm.")
    agent: AgentBlock | None = Field(default=None, description="Of a Tool of type agent.")
    python: PythonBlock | None = Field(default=None, description="Of a Tool of type python.")
    mcp: McpBlock | None = Field(default=None, description="Of a Tool of type mcp.")
    github: GithubBlock | None = Field(default=None, description="Of a Tool of type github.")
    http: HttpBlock | None = Field(default=None, description="Of a Tool of type http.")
    prometheus: PrometheusBlock | None = Field(default=None, description="Of a Tool of type prometheus.")
    alertmanager: AlertmanagerBlock | None = Field(default=None, description="Of a Tool of type alertmanager.")


class Tool(SpecModel):
    """Something an agent may do."""

    api_version: Literal["kagent.dev/v1alpha1"]
    kind: Literal["Tool"]
    metadata: Metadata
    spec: ToolSpec
