"""The envelope of a RuntimeConfig."""

from typing import Literal

from pydantic import Field

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


class RuntimeConfig(Strict):
    """The envelope."""

    apiVersion: Literal["runtime.kagent.dev/v1"]
    kind: Literal["RuntimeConfig"]
    metadata: Metadata
    description: str
    agents: list[AgentSummary] = Field(min_length=1)
    component: Participant
