"""The workbench of helm tools."""

from typing import Literal

from pydantic import Field

from kagent_runtime.model.remote import CalledTool, RemoteTls
from kagent_runtime.model.strict import Component, Strict

# Of these a call may be made again after a crash: they change nothing.
ReadingHelmOperation = Literal["list", "status", "values", "manifest", "history", "diff"]
ChangingHelmOperation = Literal["install", "upgrade", "rollback", "uninstall"]


class HelmChart(Strict):
    """Where a chart is, as the helm program is told."""

    name: str = Field(pattern=r"^(oci://[^\s]+|[A-Za-z0-9][A-Za-z0-9_-]*)$")
    repository: str | None = Field(default=None, pattern=r"^https?://[^\s]+$")
    version: str | None = None
    plain_http: bool = False
    registry_config: str | None = None
    tls: RemoteTls | None = None


class HelmTool(CalledTool):
    """What Helm has installed, or a change of it. `releases` are the only ones it may change; none: any."""

    operation: ReadingHelmOperation | ChangingHelmOperation
    namespaces: list[str]
    chart: HelmChart | None = None
    releases: list[str] = Field(default_factory=list)
    hooks: bool = False


class HelmToolsConfig(Strict):
    """Config of the workbench."""

    tools: list[HelmTool] = Field(min_length=1)


class HelmToolsComponent(Component):
    """The helm tools of an agent."""

    provider: Literal["kagent_runtime.components.HelmTools"]
    component_type: Literal["workbench"]
    config: HelmToolsConfig
