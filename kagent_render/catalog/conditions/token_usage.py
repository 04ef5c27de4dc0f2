"""TokenUsage: stop when the models of the run have used a number of tokens.

AutoGen adds up what the messages report, and a Selector's and an orchestrator's own calls are in no message; the
runtime's own condition reads the meter of the run, which counts every call.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from kagent_render.catalog.base import Component
from kagent_render.catalog.conditions.base import Condition, ConditionScope, Location, own

_RULE = "needs at least one of maxTotalTokens, maxPromptTokens and maxCompletionTokens"


class TokenUsage(Condition):
    """Stop after the turn in which the models of this run reach one of the bounds."""

    type: Literal["TokenUsage"]
    max_total_tokens: int | None = Field(default=None, ge=1, description="Prompt and completion tokens together.")
    max_prompt_tokens: int | None = Field(default=None, ge=1, description="Tokens sent to the models.")
    max_completion_tokens: int | None = Field(default=None, ge=1, description="Tokens the models answered.")

    @model_validator(mode="after")
    def _has_bound(self) -> Self:
        if self.max_total_tokens is self.max_prompt_tokens is self.max_completion_tokens is None:
            raise PydanticCustomError("no_bound", "{rule}", {"rule": _RULE})
        return self

    def lower(self, scope: ConditionScope, location: Location) -> Component:
        """All three bounds; null is none."""
        bounds = {
            "max_total_token": self.max_total_tokens,
            "max_prompt_token": self.max_prompt_tokens,
            "max_completion_token": self.max_completion_tokens,
        }
        return own("TokenUsage", {key: bound for key, bound in bounds.items() if bound is not None})
