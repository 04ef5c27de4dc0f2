"""A text condition that listens to the sources it is given, and to nobody else."""

from typing import Self

from autogen_agentchat.conditions import TextMentionTermination
from autogen_core import Component

from kagent_runtime.model import TextMentionConfig


class TextMention(TextMentionTermination, Component[TextMentionConfig]):
    """AutoGen's TextMentionTermination with its `sources` kept in the config (upstream PR #7933)."""

    component_config_schema = TextMentionConfig  # type: ignore[assignment]
    component_provider_override = "kagent_runtime.components.TextMention"

    def __init__(self, config: TextMentionConfig) -> None:
        super().__init__(config.text, sources=config.sources)
        self._config = config

    def _to_config(self) -> TextMentionConfig:  # type: ignore[override]
        return self._config

    @classmethod
    def _from_config(cls, config: TextMentionConfig) -> Self:  # type: ignore[override]
        return cls(config)
