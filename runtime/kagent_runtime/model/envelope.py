"""The envelope of a RuntimeConfig."""

from collections.abc import Iterator
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from kagent_runtime.model.queue import AnyQueue
from kagent_runtime.model.run import Approvals, RunLimits
from kagent_runtime.model.strict import Identifier, Strict
from kagent_runtime.model.teams import Participant

API_VERSION = "runtime.kagent.dev/v1"


class Metadata(Strict):
    """Whose config it is."""

    name: str
    kind: Literal["Agent", "AgentTeam"]
    namespace: str | None = None


class AgentSummary(Strict):
    """What the API and the web page show of an agent."""

    id: Identifier
    name: str
    description: str
    model: str
    tools: list[str]
    requiresApproval: list[str] = Field(default_factory=list)


class RuntimeConfig(Strict):
    """The envelope."""

    apiVersion: Literal["runtime.kagent.dev/v1"]
    kind: Literal["RuntimeConfig"]
    metadata: Metadata
    description: str
    agents: list[AgentSummary] = Field(min_length=1)
    limits: RunLimits | None = None
    approvals: Approvals | None = None
    queue: AnyQueue | None = None
    component: Participant

    @model_validator(mode="after")
    def _guards_what_there_is(self) -> Self:
        """A misspelt name would let a tool run that nobody approved."""
        offered = dict(_offered(self.component))
        for agent in self.agents:
            for name in agent.requiresApproval:
                if self.approvals is None:
                    raise ValueError("`requiresApproval` needs `approvals`")
                if name not in offered.get(agent.id, ()):
                    raise ValueError(f"the agent `{agent.id}` has no tool `{name}` that could require approval")
        return self


def _offered(component: Any) -> Iterator[tuple[str, set[str]]]:
    """Of every agent the names of its tools; a workbench lists them in its config, as records or as names.

    An MCP server is one record, whose tools go by the names on its list.
    """
    if component.component_type == "agent":
        benches = component.config.workbench or ()
        tools = [tool for bench in benches for tool in getattr(bench.config, "tools", ())]
        yield component.config.name, {name for tool in tools for name in _names(tool)}
    for member in getattr(component.config, "participants", ()):
        yield from _offered(member)


def _names(tool: Any) -> list[str]:
    return [tool] if isinstance(tool, str) else getattr(tool, "allowed", None) or [tool.name]
