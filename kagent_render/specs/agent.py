"""Kind Agent: one assistant with its model, prompt and tools."""

from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from kagent_render.catalog.fields import Reference, SpecModel, Text, coded
from kagent_render.catalog.output_schema import OutputSchema
from kagent_render.specs.agent_context import Context, Memory, VectorMemory
from kagent_render.specs.base import ModelConfigReference, WorkloadMetadata
from kagent_render.specs.limits import AgentLimits
from kagent_render.specs.pod import WorkloadOverride


class PromptFile(SpecModel):
    """A prompt in a file of its own: Markdown or text, in UTF-8, below a folder that is compiled."""

    file: Text = Field(description="Path of a .md or .txt file, relative to the file that says this.")


class ToolGrant(Reference):
    """A tool that the agent may use."""

    require_approval: bool | None = Field(
        default=None,
        description="Whether a person has to approve every call; default: of kubernetes tools that change the cluster.",
    )
    reason: Text | None = Field(
        default=None, description="Why a tool that changes the cluster needs no approval: with requireApproval: false."
    )


class AgentSpec(SpecModel):
    """What an agent is."""

    # For editors; the validator below says it with a place and a fix.
    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["systemMessage"]}, {"required": ["systemMessageFrom"]}]}
    )

    description: Text = Field(description="One line that other agents and people choose it by.")
    system_message: Text | None = Field(default=None, description="The system prompt; this or systemMessageFrom.")
    system_message_from: PromptFile | None = Field(default=None, description="The system prompt, from a file.")
    model_config_ref: ModelConfigReference = Field(description="The ModelConfig it uses.")
    tools: list[ToolGrant] = Field(default_factory=list, description="Tools, built-in or by document.")
    tool_sets: list[Text] = Field(
        default_factory=list,
        description="Sets of built-in tools that only read: kubernetes/read-only, helm/read-only, prometheus.",
    )
    handoffs: list[Reference] = Field(default_factory=list, description="Members of its Swarm it may hand over to.")
    memory: list[Memory] = Field(default_factory=list, description="Facts it always knows, and texts it looks up.")
    context: Context | None = Field(default=None, description="Default: the model sees the whole conversation.")
    output_schema: OutputSchema | None = Field(default=None, description="The answer is JSON of this shape.")
    limits: AgentLimits = Field(default_factory=AgentLimits, description="Bounds of a turn and of a run.")
    standalone: bool = Field(default=False, description="Its own workload although a team lists it.")
    workload: WorkloadOverride = Field(
        default_factory=WorkloadOverride, description="What its workload has differently from the Platform's defaults."
    )

    @property
    def vector_memory(self) -> tuple[int, VectorMemory] | None:
        """The texts that it looks up, and where in `memory` they are."""
        return next(((i, item) for i, item in enumerate(self.memory) if isinstance(item, VectorMemory)), None)

    @model_validator(mode="after")
    def _has_one_vector_memory(self) -> Self:
        if sum(isinstance(item, VectorMemory) for item in self.memory) > 1:
            raise coded("KR344", "an agent looks texts up in one `Vector` memory", "memory", "put the texts into one")
        return self

    @model_validator(mode="after")
    def _has_one_prompt(self) -> Self:
        if self.system_message is None and self.system_message_from is None:
            help = "or systemMessageFrom: {file: prompts/….md}"
            raise coded("KR102", "the field `systemMessage` is missing", "", help)
        if self.system_message is not None and self.system_message_from is not None:
            message = "`systemMessage` and `systemMessageFrom` both say the prompt"
            raise coded("KR342", message, "systemMessageFrom", "keep one of the two")
        return self


class Agent(SpecModel):
    """One assistant with its model, prompt and tools."""

    api_version: Literal["kagent.dev/v1alpha1"]
    kind: Literal["Agent"]
    metadata: WorkloadMetadata
    spec: AgentSpec
