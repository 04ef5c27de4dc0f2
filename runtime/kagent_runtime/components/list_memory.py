"""Facts an agent always knows: one system message at the beginning of its conversation.

AutoGen's ListMemory appends its contents in every turn, so the conversation fills with copies; and as a system
message in the middle it is refused by models that take one at the beginning only.
"""

from typing import Any, Self

from autogen_core import CancellationToken, Component
from autogen_core.memory import Memory, MemoryContent, MemoryMimeType, MemoryQueryResult, UpdateContextResult
from autogen_core.model_context import ChatCompletionContext
from autogen_core.models import SystemMessage

from kagent_runtime.model import ListMemoryConfig

_TITLE = "What you know:"


class ListMemory(Memory, Component[ListMemoryConfig]):
    """A list of facts that does not change while the process runs."""

    component_type = "memory"
    component_config_schema = ListMemoryConfig
    component_provider_override = "kagent_runtime.components.ListMemory"

    def __init__(self, config: ListMemoryConfig) -> None:
        self._config = config
        self._text = "\n".join([_TITLE, *(f"- {text}" for text in config.contents)])

    async def update_context(self, model_context: ChatCompletionContext) -> UpdateContextResult:
        """Put the facts at the beginning, in place of those that an earlier version of the spec said."""
        messages = await model_context.get_messages()
        if messages and isinstance(messages[0], SystemMessage) and messages[0].content == self._text:
            return UpdateContextResult(memories=MemoryQueryResult(results=[]))
        # Through its state: a context has no other way to add at the beginning.
        state = dict(await model_context.save_state())
        rest = [message for message in state["messages"] if not _is_ours(message)]
        state["messages"] = [SystemMessage(content=self._text).model_dump(), *rest]
        await model_context.load_state(state)
        return UpdateContextResult(memories=await self.query())

    async def query(
        self, query: str | MemoryContent = "", cancellation_token: CancellationToken | None = None, **kwargs: Any
    ) -> MemoryQueryResult:
        """All facts."""
        texts = self._config.contents
        return MemoryQueryResult(results=[MemoryContent(content=text, mime_type=MemoryMimeType.TEXT) for text in texts])

    async def add(self, content: MemoryContent, cancellation_token: CancellationToken | None = None) -> None:
        """Refused: the facts are those of the spec. Raises NotImplementedError."""
        raise NotImplementedError

    async def clear(self) -> None:
        """Refused, as `add` is. Raises NotImplementedError."""
        raise NotImplementedError

    async def close(self) -> None:
        """Nothing to close."""

    def _to_config(self) -> ListMemoryConfig:
        return self._config

    @classmethod
    def _from_config(cls, config: ListMemoryConfig) -> Self:
        return cls(config)


def _is_ours(message: dict[str, Any]) -> bool:
    return message["type"] == "SystemMessage" and str(message["content"]).startswith(_TITLE)
