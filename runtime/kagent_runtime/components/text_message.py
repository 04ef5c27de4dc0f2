"""A condition on a member's answer in text."""

from typing import Self

from autogen_agentchat.messages import TextMessage as Text
from autogen_core import Component

from kagent_runtime.components.condition import Condition, Messages
from kagent_runtime.model import TextMessageConfig


class TextMessage(Condition, Component[TextMessageConfig]):
    """AutoGen's TextMessageTermination, deaf to the user."""

    component_type = "termination"
    component_config_schema = TextMessageConfig
    component_provider_override = "kagent_runtime.components.TextMessage"

    def __init__(self, config: TextMessageConfig) -> None:
        self._config = config

    def _reason(self, messages: Messages) -> str | None:
        for item in messages:
            if isinstance(item, Text) and item.source in self._config.sources:
                return f"Text message received from '{item.source}'"
        return None

    def _to_config(self) -> TextMessageConfig:
        return self._config

    @classmethod
    def _from_config(cls, config: TextMessageConfig) -> Self:
        return cls(config)
