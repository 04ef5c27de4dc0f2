"""A model client that writes every answer to the run's journal, and takes from it what was answered before."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any, Self

from autogen_core import Component
from autogen_core.models import ChatCompletionClient, CreateResult, LLMMessage
from pydantic import BaseModel

from kagent_runtime.components.model_wrapper import ModelWrapper
from kagent_runtime.journal import JOURNAL, Slot, fingerprint_of
from kagent_runtime.meter import METER
from kagent_runtime.model.model_client import Pricing
from kagent_runtime.prices import usage_of


class ModelJournalConfig(BaseModel):
    """The client it is around, and where in the tree that is."""

    model_client: dict[str, Any]
    place: str


class ModelJournal(ModelWrapper, Component[ModelJournalConfig]):
    """Goes around the model itself: what wraps a model may call it more than once."""

    component_type = "model"
    component_config_schema = ModelJournalConfig
    component_provider_override = "kagent_runtime.components.ModelJournal"

    def __init__(self, inner: ChatCompletionClient, place: str) -> None:
        self._inner, self._place = inner, place

    async def create(self, messages: Sequence[LLMMessage], **more: Any) -> CreateResult:
        """One answer. Raises DivergedError when another question was asked here before."""
        slot = self._slot(messages)
        if (known := _known(slot, self.pricing)) is not None:
            return known
        result = await super().create(messages, **more)
        await _keep(slot, result)
        return result

    async def create_stream(
        self, messages: Sequence[LLMMessage], **more: Any
    ) -> AsyncGenerator[str | CreateResult, None]:
        """Pieces of text and, last, the result; of a known answer the result alone."""
        slot = self._slot(messages)
        if (known := _known(slot, self.pricing)) is not None:
            yield known
            return
        async for piece in super().create_stream(messages, **more):
            if not isinstance(piece, str):
                await _keep(slot, piece)
            yield piece

    def _slot(self, messages: Sequence[LLMMessage]) -> Slot | None:
        if (journal := JOURNAL.get()) is None:
            return None
        asked = [message.model_dump(mode="json") for message in messages]
        return journal.slot("model", self._place, fingerprint_of(asked))

    def _to_config(self) -> ModelJournalConfig:
        raise NotImplementedError("configs are generated, never dumped")

    @classmethod
    def _from_config(cls, config: ModelJournalConfig) -> Self:
        return cls(ChatCompletionClient.load_component(config.model_client), config.place)


def _known(slot: Slot | None, pricing: Pricing | None) -> CreateResult | None:
    if slot is None or slot.outcome is None:
        return None
    result = CreateResult.model_validate_json(slot.outcome)
    if (meter := METER.get()) is not None:  # it was paid for in this run
        meter.count(usage_of(result.usage.prompt_tokens, result.usage.completion_tokens, pricing))
    return result


async def _keep(slot: Slot | None, result: CreateResult) -> None:
    if slot is not None:
        await slot.finish(result.model_dump_json())
