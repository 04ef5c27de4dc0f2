"""A model client that asks the run's meter before every call. Put around every model of a run that has limits."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any, Self

from autogen_core import Component
from autogen_core.models import ChatCompletionClient, CreateResult, LLMMessage
from pydantic import BaseModel

from kagent_runtime.components.model_wrapper import ModelWrapper
from kagent_runtime.meter import METER
from kagent_runtime.prices import usage_of


class ModelGuardConfig(BaseModel):
    """The client it is around."""

    model_client: dict[str, Any]


class ModelGuard(ModelWrapper, Component[ModelGuardConfig]):
    """Refuses calls when the run has reached a limit."""

    component_type = "model"
    component_config_schema = ModelGuardConfig
    component_provider_override = "kagent_runtime.components.ModelGuard"

    def __init__(self, inner: ChatCompletionClient) -> None:
        self._inner = inner

    async def create(self, messages: Sequence[LLMMessage], **more: Any) -> CreateResult:
        """One answer. Raises LimitReached."""
        counted = _admit()
        result = await super().create(messages, **more)
        self._count(messages, result, counted)
        return result

    async def create_stream(
        self, messages: Sequence[LLMMessage], **more: Any
    ) -> AsyncGenerator[str | CreateResult, None]:
        """Pieces of text and, last, the result. Raises LimitReached."""
        counted = _admit()
        async for piece in super().create_stream(messages, **more):
            if not isinstance(piece, str):
                self._count(messages, piece, counted)
            yield piece

    def _count(self, messages: Sequence[LLMMessage], result: CreateResult, counted: int) -> None:
        """Count for the replay model, which does not itself, and for servers that do not say what they used.

        Without the estimate a limit of tokens would never be reached with such a server.
        """
        meter, usage = METER.get(), result.usage
        if meter is None:
            return
        if usage.prompt_tokens + usage.completion_tokens == 0:
            meter.count(usage_of(self._inner.count_tokens(messages), len(str(result.content)) // 4 + 1, self.pricing))
        elif meter.calls == counted:
            meter.count(usage_of(usage.prompt_tokens, usage.completion_tokens, self.pricing))

    def _to_config(self) -> ModelGuardConfig:
        raise NotImplementedError("configs are generated, never dumped")

    @classmethod
    def _from_config(cls, config: ModelGuardConfig) -> Self:
        return cls(ChatCompletionClient.load_component(config.model_client))


def _admit() -> int:
    meter = METER.get()
    if meter is None:
        return 0
    meter.admit_model_call()
    return meter.calls
