"""A condition on a member's handoff."""

from typing import Self

from autogen_agentchat.messages import HandoffMessage
from autogen_core import Component

from kagent_runtime.components.condition import Condition, Messages
from kagent_runtime.model import HandoffConfig


class Handoff(Condition, Component[HandoffConfig]):
    """AutoGen's HandoffTermination, deaf to the handoff that brings the user's message."""

    component_type = "termination"
    component_config_schema = HandoffConfig
    component_provider_override = "kagent_runtime.components.Handoff"

    def __init__(self, config: HandoffConfig) -> None:
        self._config = config

    def _reason(self, messages: Messages) -> str | None:
        target, sources = self._config.target, self._config.sources
        for item in messages:
            if isinstance(item, HandoffMessage) and item.target == target and item.source in sources:
                return f"Handoff to {target} from {item.source}"
        return None

    def _to_config(self) -> HandoffConfig:
        return self._config

    @classmethod
    def _from_config(cls, config: HandoffConfig) -> Self:
        return cls(config)
