"""The registry of workbenches: the union that an agent may list."""

from typing import Annotated

from pydantic import Field

from kagent_runtime.model.agent_tools import AgentToolsComponent
from kagent_runtime.model.alertmanager_tools import AlertmanagerToolsComponent
from kagent_runtime.model.github_tools import GithubToolsComponent
from kagent_runtime.model.helm_tools import HelmToolsComponent
from kagent_runtime.model.http_tools import HttpToolsComponent
from kagent_runtime.model.kubernetes_tools import KubernetesToolsComponent
from kagent_runtime.model.mcp_tools import McpToolsComponent
from kagent_runtime.model.prometheus_tools import PrometheusToolsComponent
from kagent_runtime.model.python_tools import PythonToolsComponent

Workbench = Annotated[
    KubernetesToolsComponent
    | AgentToolsComponent
    | AlertmanagerToolsComponent
    | GithubToolsComponent
    | HelmToolsComponent
    | HttpToolsComponent
    | McpToolsComponent
    | PrometheusToolsComponent
    | PythonToolsComponent,
    Field(discriminator="provider"),
]
