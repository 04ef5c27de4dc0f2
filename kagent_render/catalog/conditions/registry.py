"""The registry of termination conditions: the union that a spec accepts."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Tag

from kagent_render.catalog.conditions.combined import AllOf, AnyOf
from kagent_render.catalog.conditions.max_message import MaxMessage
from kagent_render.catalog.conditions.text_mention import TextMention

LEAVES: tuple[type[TextMention] | type[MaxMessage], ...] = (MaxMessage, TextMention)


def _tag(value: Any) -> str | None:
    if not isinstance(value, dict):
        return None
    if "anyOf" in value:
        return "AnyOf"
    return "AllOf" if "allOf" in value else value.get("type")


TerminationCondition = Annotated[
    Annotated[MaxMessage, Tag("MaxMessage")]
    | Annotated[TextMention, Tag("TextMention")]
    | Annotated[AnyOf, Tag("AnyOf")]
    | Annotated[AllOf, Tag("AllOf")],
    Discriminator(_tag),
]

for _model in (AnyOf, AllOf):
    _model.model_rebuild(_types_namespace={"TerminationCondition": TerminationCondition})
