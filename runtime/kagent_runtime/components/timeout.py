"""A bound on the time of a run. The engine cuts a turn off; this one ends a nested team, or waits in an `allOf`."""

import time
from typing import Self

from autogen_core import Component

from kagent_runtime.components.condition import Condition, Messages
from kagent_runtime.model import TimeoutConfig


def timeout_reason(seconds: int) -> str:
    """The stop reason, whoever looked at the clock."""
    return f"Timeout of {seconds} seconds reached"


class Timeout(Condition, Component[TimeoutConfig]):
    """AutoGen's TimeoutTermination with a clock that starts with the team, not when the team is loaded."""

    component_type = "termination"
    component_config_schema = TimeoutConfig
    component_provider_override = "kagent_runtime.components.Timeout"

    def __init__(self, config: TimeoutConfig) -> None:
        self._config = config
        self._start: float | None = None

    def _reason(self, messages: Messages) -> str | None:
        now = time.monotonic()
        if self._start is None:
            self._start = now
        seconds = self._config.seconds
        return timeout_reason(seconds) if now - self._start >= seconds else None

    async def reset(self) -> None:
        """Start afresh."""
        await super().reset()
        self._start = None

    def _to_config(self) -> TimeoutConfig:
        return self._config

    @classmethod
    def _from_config(cls, config: TimeoutConfig) -> Self:
        return cls(config)
