"""The registry of termination conditions: the union that a spec accepts."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Tag

from kagent_render.catalog.conditions.base import Condition
from kagent_render.catalog.conditions.combined import AllOf, AnyOf
from kagent_render.catalog.conditions.external import External
from kagent_render.catalog.conditions.function_call import FunctionCall
from kagent_render.catalog.conditions.handoff import Handoff
from kagent_render.catalog.conditions.max_message import MaxMessage
from kagent_render.catalog.conditions.source_match import SourceMatch
from kagent_render.catalog.conditions.stop_message import StopMessage
from kagent_render.catalog.conditions.text_mention import TextMention
from kagent_render.catalog.conditions.text_message import TextMessage
from kagent_render.catalog.conditions.timeout import Timeout
from kagent_render.catalog.conditions.token_usage import TokenUsage

LEAVES: tuple[type[Condition], ...] = (
    External,
    FunctionCall,
    Handoff,
    MaxMessage,
    SourceMatch,
    StopMessage,
    TextMention,
    TextMessage,
    Timeout,
    TokenUsage,
)


def _tag(value: Any) -> str | None:
    if not isinstance(value, dict):
        return None
    if "anyOf" in value:
        return "AnyOf"
    return "AllOf" if "allOf" in value else value.get("type")


TerminationCondition = Annotated[
    Annotated[External, Tag("External")]
    | Annotated[FunctionCall, Tag("FunctionCall")]
    | Annotated[Handoff, Tag("Handoff")]
    | Annotated[MaxMessage, Tag("MaxMessage")]
    | Annotated[SourceMatch, Tag("SourceMatch")]
    | Annotated[StopMessage, Tag("StopMessage")]
    | Annotated[TextMention, Tag("TextMention")]
    | Annotated[TextMessage, Tag("TextMessage")]
    | Annotated[Timeout, Tag("Timeout")]
    | Annotated[TokenUsage, Tag("TokenUsage")]
    | Annotated[AnyOf, Tag("AnyOf")]
    | Annotated[AllOf, Tag("AllOf")],
    Discriminator(_tag),
]

for _model in (AnyOf, AllOf):
    _model.model_rebuild(_types_namespace={"TerminationCondition": TerminationCondition})
