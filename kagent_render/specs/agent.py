"""Kind Agent: one assistant with its model, prompt and tools."""

from typing import Literal

from pydantic import Field

from kagent_render.catalog.fields import Reference, SpecModel, Text
from kagent_render.specs.base import ModelConfigReference, WorkloadMetadata, WorkloadOverride


class AgentLimits(SpecModel):
    """Bounds of one turn."""

    tool_iterations: int = Field(default=10, ge=1, le=100, description="Rounds of tool calls in one turn.")


class AgentSpec(SpecModel):
    """What an agent is."""

    description: Text = Field(description="One line that other agents and people choose it by.")
    system_message: Text = Field(description="The system prompt.")
    model_config_ref: ModelConfigReference = Field(description="The ModelConfig it uses.")
    tools: list[Reference] = Field(default_factory=list, description="Tools, built-in or by document.")
    handoffs: list[Reference] = Field(default_factory=list, description="Members of its Swarm it may hand over to.")
    limits: AgentLimits = Field(default_factory=AgentLimits, description="Bounds of one turn.")
    standalone: bool = Field(default=False, description="Its own workload although a team lists it.")
    workload: WorkloadOverride = Field(
        default_factory=WorkloadOverride, description="What its workload has differently from the Platform's defaults."
    )


class Agent(SpecModel):
    """One assistant with its model, prompt and tools."""

    api_version: Literal["kagent.dev/v1alpha1"]
    kind: Literal["Agent"]
    metadata: WorkloadMetadata
    spec: AgentSpec
