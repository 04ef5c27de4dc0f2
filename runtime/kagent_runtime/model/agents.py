"""The agent: AutoGen's AssistantAgent with all it requires."""

from typing import Annotated, Literal

from pydantic import Field

from kagent_runtime.model.contexts import Memory, ModelContext
from kagent_runtime.model.model_client import ModelComponent
from kagent_runtime.model.output_schema import StructuredOutputComponent
from kagent_runtime.model.strict import Component, Identifier, Strict
from kagent_runtime.model.workbenches import Workbench


class Handoff(Strict):
    """A handoff. Always an object: AutoGen 0.7.5 crashes on strings."""

    target: Identifier
    description: str
    name: Identifier
    message: str


class AssistantAgentConfig(Strict):
    """Config of AutoGen's AssistantAgent: all it requires, nothing it would ignore."""

    name: Identifier
    description: str
    model_client: Annotated[ModelComponent | StructuredOutputComponent, Field(discriminator="provider")]
    workbench: list[Workbench] | None = None
    handoffs: list[Handoff] | None = None
    memory: list[Memory] | None = Field(default=None, max_length=2)
    model_context: ModelContext | None = None
    system_message: str
    model_client_stream: bool
    reflect_on_tool_use: bool
    tool_call_summary_format: Literal["{result}"]
    max_tool_iterations: int = Field(ge=1)
    metadata: dict[str, str]


class AgentComponent(Component):
    """An agent."""

    provider: Literal["autogen_agentchat.agents.AssistantAgent"]
    component_type: Literal["agent"]
    config: AssistantAgentConfig
