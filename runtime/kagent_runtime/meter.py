"""What the calls of one run used, where its limits are, and why its last model call failed.

AutoGen reports neither fully: a Selector's own calls are in no message (so their tokens would be lost), and a
team turns an agent's exception into text. A context variable reaches the calls, in whatever task they are made.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field

from kagent_runtime.engine import Usage
from kagent_runtime.model import RunLimits
from kagent_runtime.prices import decimal


class LimitReached(Exception):
    """The run may not go on. The text is its stop reason."""


@dataclass(slots=True)
class Meter:
    """Filled by the model clients and the workbenches while a run goes on; says when it has had enough."""

    limits: RunLimits = field(default_factory=RunLimits)
    calls: int = 0
    tool_calls: int = 0
    usage: Usage = field(default_factory=Usage)
    failure: Exception | None = None
    reached: str | None = None
    """The stop reason, once a call was refused."""

    def count(self, usage: Usage) -> None:
        """Add the usage of a call."""
        self.calls += 1
        self.usage = self.usage.plus(usage)

    def admit_model_call(self) -> None:
        """Raises LimitReached when no further model call may start."""
        tokens = self.limits.totalTokens
        if tokens is not None and self.usage.prompt + self.usage.completion >= tokens:
            self._reach(f"token limit of {tokens} reached")
        turns, cost, paid = self.limits.turns, self.limits.cost, self.usage.cost
        if turns is not None and self.calls >= turns:
            self._reach(f"turn limit of {turns} reached")
        if cost is not None and paid is not None and paid >= (most := decimal(cost)):
            self._reach(f"cost limit of {most.normalize():f} {self.usage.currency} reached")
        if self.reached is not None:
            raise LimitReached(self.reached)

    def admit_tool_call(self) -> None:
        """Raises LimitReached when no further tool call may start."""
        self.admit_model_call()  # a tool whose result no model will read must not run either
        calls = self.limits.toolCalls
        if calls is not None and self.tool_calls >= calls:
            self._reach(f"tool call limit of {calls} reached")
            raise LimitReached(self.reached)

    def _reach(self, reason: str) -> None:
        self.reached = self.reached or reason


METER: ContextVar[Meter | None] = ContextVar("METER", default=None)
