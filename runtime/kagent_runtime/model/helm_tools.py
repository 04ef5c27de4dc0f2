"""The workbench of helm tools."""

from typing import Literal

from pydantic import Field

from kagent_runtime.model.remote import CalledTool
from kagent_runtime.model.strict import Component, Strict


class HelmTool(CalledTool):
    """What Helm has installed."""

    operation: Literal["list", "status", "values", "manifest", "history"]
    namespaces: list[str]


class HelmToolsConfig(Strict):
    """Config of the workbench."""

    tools: list[HelmTool] = Field(min_length=1)


class HelmToolsComponent(Component):
    """The helm tools of an agent."""

    provider: Literal["kagent_runtime.components.HelmTools"]
    component_type: Literal["workbench"]
    config: HelmToolsConfig
