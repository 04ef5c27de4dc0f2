"""Bounds of a run: what one message to a workload may cost."""

from pydantic import Field

from kagent_render.catalog.fields import SpecModel


class RunLimits(SpecModel):
    """Bounds of one run of a workload. The run ends when one is reached, with the outcome `limited`."""

    total_tokens: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000_000,
        description="Once used, no further model or tool call starts. Estimated where the server does not say.",
    )
    seconds: float | None = Field(
        default=None, gt=0, le=86_400, description="Wall clock; waiting for an approval counts."
    )
    tool_calls: int | None = Field(default=None, ge=1, le=100_000, description="Calls of tools, of all agents.")
    turns: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="Answers of models, of all agents and of what chooses between them; `maxTurns` counts speakers.",
    )
    cost: float | None = Field(
        default=None,
        gt=0,
        le=1_000_000,
        description="Once spent, no further call starts. In the currency of `pricing`, which all its models need.",
    )

    def bounds(self) -> dict[str, int | float]:
        """Those that are set, under the names of the runtime's config."""
        named = {"totalTokens": self.total_tokens, "seconds": self.seconds, "toolCalls": self.tool_calls}
        named |= {"turns": self.turns, "cost": self.cost}
        return {name: value for name, value in named.items() if value is not None}


class AgentLimits(RunLimits):
    """Bounds of one turn, and of one run of the agent's own workload; a team has its own."""

    tool_iterations: int = Field(default=10, ge=1, le=100, description="Rounds of tool calls in one turn.")
