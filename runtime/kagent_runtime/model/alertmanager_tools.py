"""The workbench of alertmanager tools."""

from typing import Literal

from pydantic import Field

from kagent_runtime.model.remote import RemoteTool
from kagent_runtime.model.strict import Component, Strict

# Of these a call may be made again after a crash: they change nothing.
ReadingAlertmanagerOperation = Literal["alerts", "silences"]
ChangingAlertmanagerOperation = Literal["silence", "expire_silence"]


class AlertmanagerTool(RemoteTool):
    """One operation at one Alertmanager; a silence is no longer than `max_minutes`."""

    operation: ReadingAlertmanagerOperation | ChangingAlertmanagerOperation
    max_minutes: int = Field(ge=1)


class AlertmanagerToolsConfig(Strict):
    """Config of the workbench."""

    tools: list[AlertmanagerTool] = Field(min_length=1)


class AlertmanagerToolsComponent(Component):
    """The alertmanager tools of an agent."""

    provider: Literal["kagent_runtime.components.AlertmanagerTools"]
    component_type: Literal["workbench"]
    config: AlertmanagerToolsConfig
