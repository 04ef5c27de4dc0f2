"""A count of what the members of a team say, and nobody else."""

from typing import Self

from autogen_agentchat.messages import BaseChatMessage
from autogen_core import Component

from kagent_runtime.components.condition import Condition, Messages
from kagent_runtime.model import MaxMessageConfig


class MaxMessage(Condition, Component[MaxMessageConfig]):
    """AutoGen's MaxMessageTermination without the messages of the user and of an outer team."""

    component_type = "termination"
    component_config_schema = MaxMessageConfig
    component_provider_override = "kagent_runtime.components.MaxMessage"

    def __init__(self, config: MaxMessageConfig) -> None:
        self._config, self._count = config, 0

    def _reason(self, messages: Messages) -> str | None:
        sources = self._config.sources
        self._count += sum(1 for item in messages if isinstance(item, BaseChatMessage) and item.source in sources)
        wanted = self._config.max_messages
        return f"Maximum number of messages {wanted} reached" if self._count >= wanted else None

    async def reset(self) -> None:
        """Start afresh."""
        await super().reset()
        self._count = 0

    def _to_config(self) -> MaxMessageConfig:
        return self._config

    @classmethod
    def _from_config(cls, config: MaxMessageConfig) -> Self:
        return cls(config)
