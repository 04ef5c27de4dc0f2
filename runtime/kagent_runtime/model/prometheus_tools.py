"""The workbench of prometheus tools."""

from typing import Literal

from pydantic import Field

from kagent_runtime.model.remote import RemoteTool
from kagent_runtime.model.strict import Component, Strict


class PrometheusTool(RemoteTool):
    """One question to one Prometheus."""

    operation: Literal["query", "query_range", "labels", "series", "targets", "rules", "alerts"]


class PrometheusToolsConfig(Strict):
    """Config of the workbench."""

    tools: list[PrometheusTool] = Field(min_length=1)


class PrometheusToolsComponent(Component):
    """The prometheus tools of an agent."""

    provider: Literal["kagent_runtime.components.PrometheusTools"]
    component_type: Literal["workbench"]
    config: PrometheusToolsConfig
