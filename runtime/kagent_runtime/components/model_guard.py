"""A model client that asks the run's meter before every call. Put around every model of a run that has limits."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any, Self

from autogen_core import Component
from autogen_core.models import ChatCompletionClient, CreateResult, LLMMessage
from pydantic import BaseModel

from kagent_runtime.components.model_wrapper import ModelWrapper
from kagent_runtime.engine import Usage
from kagent_runtime.meter import METER


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
        _count(result, counted)
        return result

    async def create_stream(
        self, messages: Sequence[LLMMessage], **more: Any
    ) -> AsyncGenerator[str | CreateResult, None]:
        """Pieces of text and, last, the result. Raises LimitReached."""
        counted = _admit()
        async for piece in super().create_stream(messages, **more):
            if not isinstance(piece, str):
                _count(piece, counted)
            yield piece

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


def _count(result: CreateResult, counted: int) -> None:
    """Count for a client that does not do it itself: the replay model."""
    meter = METER.get()
    if meter is not None and meter.calls == counted:
        meter.count(Usage(result.usage.prompt_tokens, result.usage.completion_tokens))
