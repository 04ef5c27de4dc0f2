"""A bound on the tokens of a run, by the meter that every model call passes."""

from typing import Self

from autogen_core import Component

from kagent_runtime.components.condition import Condition, Messages
from kagent_runtime.engine import Usage
from kagent_runtime.meter import METER
from kagent_runtime.model import TokenUsageConfig


class TokenUsage(Condition, Component[TokenUsageConfig]):
    """AutoGen's TokenUsageTermination with the calls that are in no message: a selector's, an orchestrator's."""

    component_type = "termination"
    component_config_schema = TokenUsageConfig
    component_provider_override = "kagent_runtime.components.TokenUsage"

    def __init__(self, config: TokenUsageConfig) -> None:
        self._config = config
        self._before: Usage | None = None
        self._reported = Usage()

    def _reason(self, messages: Messages) -> str | None:
        used = self._used(messages)
        bounds = (
            ("total", self._config.max_total_token, used.prompt + used.completion),
            ("prompt", self._config.max_prompt_token, used.prompt),
            ("completion", self._config.max_completion_token, used.completion),
        )
        for name, bound, count in bounds:
            if bound is not None and count >= bound:
                return f"Token usage limit reached: {count} {name} tokens of {bound}"
        return None

    def _used(self, messages: Messages) -> Usage:
        """Since the team's start: it is asked then for the first time, before it has called any model."""
        meter = METER.get()
        if meter is None or not meter.calls:
            # The replay model has no meter.
            for usage in (item.models_usage for item in messages):
                self._reported = self._reported.plus(
                    Usage(usage.prompt_tokens, usage.completion_tokens) if usage else None
                )
            self._before = self._before or Usage()
            return self._reported
        if self._before is None:
            self._before = meter.usage
        return Usage(meter.usage.prompt - self._before.prompt, meter.usage.completion - self._before.completion)

    async def reset(self) -> None:
        """Start afresh."""
        await super().reset()
        self._before, self._reported = None, Usage()

    def _to_config(self) -> TokenUsageConfig:
        return self._config

    @classmethod
    def _from_config(cls, config: TokenUsageConfig) -> Self:
        return cls(config)
