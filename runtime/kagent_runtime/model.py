"""The RuntimeConfig as data: a closed set of components, each with exactly the keys we allow.

AutoGen 0.7.5 imports any provider it is told (upstream PR #7463 is not released), runs the source in a
`FunctionTool`, and ignores unknown keys; so nothing reaches it that did not pass these models.
`schema/runtime-config-v1.json` is generated from them.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

API_VERSION = "runtime.kagent.dev/v1"
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class Strict(BaseModel):
    """No unknown key, no coercion."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, protected_namespaces=())


class Component(Strict):
    """What every component has besides its provider, type and config."""

    version: Literal[1]


class ModelParameters(Strict):
    """Sampling parameters; only those set are sent."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    stop: list[str] | None = None


class ModelInfo(Strict):
    """What AutoGen wants to know of a model."""

    vision: bool
    function_calling: bool
    json_output: bool
    family: str
    structured_output: bool
    multiple_system_messages: bool


class ModelClientConfig(Strict):
    """Config of our own model client. The key is named by the variable that holds it."""

    name: str
    provider: Literal["OpenAI", "OpenAICompatible"]
    model: str
    base_url: str
    api_key_env: str | None = None
    timeout_seconds: float = Field(gt=0)
    max_retries: int = Field(ge=0)
    parameters: ModelParameters
    model_info: ModelInfo


class ModelComponent(Component):
    """A model."""

    provider: Literal["kagent_runtime.components.ModelClient"]
    component_type: Literal["model"]
    config: ModelClientConfig


ResourceName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*\.v[0-9][a-z0-9]*(\.[a-z0-9][-a-z0-9.]*)?$")]


class ToolParameter(Strict):
    """One argument of a tool, as a JSON Schema property."""

    type: Literal["string", "integer", "number", "boolean"]
    description: str
    enum: list[str] | None = None


class ToolParameters(Strict):
    """The arguments of a tool: a closed JSON Schema object."""

    type: Literal["object"]
    properties: dict[str, ToolParameter]
    required: list[str]
    additionalProperties: Literal[False]


class KubernetesTool(Strict):
    """One tool: an operation on the resources (`resource.version.group`) and namespaces that RBAC grants."""

    name: str = Field(pattern=r"^[a-zA-Z0-9_.-]{1,64}$")
    operation: Literal["get", "describe", "logs"]
    description: str
    parameters: ToolParameters
    resources: list[ResourceName]
    cluster_resources: list[ResourceName] = []
    namespaces: list[str]


class KubernetesToolsConfig(Strict):
    """Config of the Kubernetes workbench."""

    tools: list[KubernetesTool] = Field(min_length=1)
    timeout_seconds: float = Field(gt=0)
    max_output_bytes: int = Field(ge=1024)


class KubernetesToolsComponent(Component):
    """The Kubernetes workbench of an agent."""

    provider: Literal["kagent_runtime.components.KubernetesTools"]
    component_type: Literal["workbench"]
    config: KubernetesToolsConfig


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
    model_client: ModelComponent
    workbench: list[KubernetesToolsComponent] | None = None
    handoffs: list[Handoff] | None = None
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


class TextMentionConfig(Strict):
    """Stop when one of the sources says the text."""

    text: str = Field(min_length=1)
    sources: list[Identifier] = Field(min_length=1)


class TextMention(Component):
    """Our own: AutoGen's loses `sources` (upstream PR #7933) and fires on the user's message."""

    provider: Literal["kagent_runtime.components.TextMention"]
    component_type: Literal["termination"]
    config: TextMentionConfig


class MaxMessageConfig(Strict):
    """Stop after a number of messages."""

    max_messages: int = Field(ge=1)
    include_agent_event: bool


class MaxMessage(Component):
    """AutoGen's MaxMessageTermination."""

    provider: Literal["autogen_agentchat.conditions.MaxMessageTermination"]
    component_type: Literal["termination"]
    config: MaxMessageConfig


class CombinedConfig(Strict):
    """Conditions of a condition."""

    conditions: list["Termination"] = Field(min_length=1)


class AnyOf(Component):
    """AutoGen's OrTerminationCondition."""

    provider: Literal["autogen_agentchat.base.OrTerminationCondition"]
    component_type: Literal["termination"]
    config: CombinedConfig


class AllOf(Component):
    """AutoGen's AndTerminationCondition."""

    provider: Literal["autogen_agentchat.base.AndTerminationCondition"]
    component_type: Literal["termination"]
    config: CombinedConfig


Termination = Annotated[TextMention | MaxMessage | AnyOf | AllOf, Field(discriminator="provider")]


class TeamConfig(Strict):
    """What every team has."""

    name: Identifier
    description: str
    participants: list["Participant"] = Field(min_length=1)
    termination_condition: Termination | None = None
    max_turns: int = Field(ge=1)


class RoundRobin(Component):
    """AutoGen's RoundRobinGroupChat."""

    provider: Literal["autogen_agentchat.teams.RoundRobinGroupChat"]
    component_type: Literal["team"]
    config: TeamConfig


class SelectorConfig(TeamConfig):
    """A model chooses the speaker."""

    participants: list["Participant"] = Field(min_length=2)
    model_client: ModelComponent
    selector_prompt: str
    allow_repeated_speaker: bool
    max_selector_attempts: int = Field(ge=1)


class Selector(Component):
    """AutoGen's SelectorGroupChat."""

    provider: Literal["autogen_agentchat.teams.SelectorGroupChat"]
    component_type: Literal["team"]
    config: SelectorConfig


class Swarm(Component):
    """AutoGen's Swarm."""

    provider: Literal["autogen_agentchat.teams.Swarm"]
    component_type: Literal["team"]
    config: TeamConfig


Participant = Annotated[AgentComponent | RoundRobin | Selector | Swarm, Field(discriminator="provider")]


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


for _model in (CombinedConfig, AnyOf, AllOf, TeamConfig, SelectorConfig, RoundRobin, Selector, Swarm, RuntimeConfig):
    _model.model_rebuild()
