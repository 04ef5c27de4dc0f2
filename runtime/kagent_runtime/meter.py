"""What the model calls of one run used, and why the last one failed.

AutoGen reports neither fully: a Selector's own calls are in no message (so their tokens would be lost), and a
team turns an agent's exception into text. A context variable reaches the calls, in whatever task they are made.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field

from kagent_runtime.engine import Usage


@dataclass(slots=True)
class Meter:
    """Filled by the model client while a run goes on."""

    calls: int = 0
    usage: Usage = field(default_factory=Usage)
    failure: Exception | None = None

    def count(self, usage: Usage) -> None:
        """Add the usage of a call."""
        self.calls += 1
        self.usage = self.usage.plus(usage)


METER: ContextVar[Meter | None] = ContextVar("METER", default=None)
