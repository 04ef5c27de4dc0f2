"""The workbench of agent tools."""

from typing import Literal

from pydantic import Field

from kagent_runtime.model.remote import CalledTool
from kagent_runtime.model.strict import Component, Strict


class AgentTool(CalledTool):
    """Another agent or team, and where it is: the address of ours, or what the address of its card begins with."""

    is_ours: bool = False
    """Whether it is an agent of the same specs, which serves A2A 1.0 at `/a2a`; another has a card that says how."""
    token_file: str | None = None
    """The tokens that callers show each other; none for an agent that does not want one."""
    url: str = Field(pattern=r"^https?://[^\s/@{}]+(/[^\s?#]*)?$")


class AgentToolsConfig(Strict):
    """Config of the workbench."""

    tools: list[AgentTool] = Field(min_length=1)


class AgentToolsComponent(Component):
    """The agent tools of an agent."""

    provider: Literal["kagent_runtime.components.AgentTools"]
    component_type: Literal["workbench"]
    config: AgentToolsConfig
