"""What a model sees of a long conversation, never starting with a tool's result whose call is left out.

AutoGen's own windows lose the task, and drop a result at their edge: OpenAI answers 400 to a result without its
call, and a model that never sees a result asks for it again, for ever.
"""

from collections.abc import Sequence
from typing import Self

from autogen_core import Component
from autogen_core.model_context import ChatCompletionContext
from autogen_core.models import (
    AssistantMessage,
    FunctionExecutionResultMessage,
    LLMMessage,
    SystemMessage,
    UserMessage,
)

from kagent_runtime.model import BufferedContextConfig, HeadAndTailContextConfig


class BufferedContext(ChatCompletionContext, Component[BufferedContextConfig]):
    """The last messages; before them what a memory says, the first message, and the user's last one."""

    component_config_schema = BufferedContextConfig
    component_provider_override = "kagent_runtime.components.BufferedContext"

    def __init__(self, config: BufferedContextConfig) -> None:
        super().__init__()
        self._config = config

    async def get_messages(self) -> list[LLMMessage]:
        """The window."""
        known, talk = _split(self._messages)
        start = tail_start(talk, self._config.messages)
        tasks = [index for index, message in enumerate(talk) if isinstance(message, UserMessage)]
        own = [index for index in tasks if getattr(talk[index], "source", "") == "user"]
        kept = {index for index in (*tasks[:1], *own[-1:]) if index < start}
        return [*known, *(talk[index] for index in sorted(kept)), *talk[start:]]

    def _to_config(self) -> BufferedContextConfig:
        return self._config

    @classmethod
    def _from_config(cls, config: BufferedContextConfig) -> Self:
        return cls(config)


class HeadAndTailContext(ChatCompletionContext, Component[HeadAndTailContextConfig]):
    """The first and the last messages; between them how many were left out."""

    component_config_schema = HeadAndTailContextConfig
    component_provider_override = "kagent_runtime.components.HeadAndTailContext"

    def __init__(self, config: HeadAndTailContextConfig) -> None:
        super().__init__()
        self._config = config

    async def get_messages(self) -> list[LLMMessage]:
        """The window."""
        known, talk = _split(self._messages)
        end, start = head_end(talk, self._config.head), tail_start(talk, self._config.tail)
        if end >= start:
            return [*known, *talk]
        note = UserMessage(content=f"({start - end} messages are left out here.)", source="system")
        return [*known, *talk[:end], note, *talk[start:]]

    def _to_config(self) -> HeadAndTailContextConfig:
        return self._config

    @classmethod
    def _from_config(cls, config: HeadAndTailContextConfig) -> Self:
        return cls(config)


def head_end(messages: Sequence[LLMMessage], size: int) -> int:
    """Where the first `size` messages end: one later when the last of them is a call whose result follows."""
    end = min(size, len(messages))
    return end + 1 if end < len(messages) and _is_call(messages[end - 1]) else end


def tail_start(messages: Sequence[LLMMessage], size: int) -> int:
    """Where the last `size` messages start: one earlier when the first of them is the result of a call."""
    start = max(0, len(messages) - size)
    return start - 1 if start and isinstance(messages[start], FunctionExecutionResultMessage) else start


def _split(messages: list[LLMMessage]) -> tuple[list[LLMMessage], list[LLMMessage]]:
    """What memories put at the beginning, and the conversation."""
    count = next((i for i, item in enumerate(messages) if not isinstance(item, SystemMessage)), len(messages))
    return messages[:count], messages[count:]


def _is_call(message: LLMMessage) -> bool:
    return isinstance(message, AssistantMessage) and not isinstance(message.content, str)
