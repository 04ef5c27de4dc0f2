"""TextMention: stop when a member says a text.

AutoGen's own TextMentionTermination loses `sources` in its config (upstream PR #7933) and also fires on the
user's message, so the runtime ships one that does neither; without `sources` it listens to every member.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from kagent_render.catalog.base import Component
from kagent_render.catalog.conditions.base import Condition, ConditionScope, Location, own
from kagent_render.catalog.fields import Text


class TextMention(Condition):
    """Stop when one of `sources` (default: any member) says `text`."""

    type: Literal["TextMention"]
    text: Text = Field(description="The text to wait for; case matters.")
    sources: list[str] | None = Field(default=None, min_length=1, description="Members to listen to; default all.")

    def lower(self, scope: ConditionScope, location: Location) -> Component:
        """Listen to the named members; an unknown one is a defect."""
        return own("TextMention", {"text": self.text, "sources": scope.speakers(self.sources, (*location, "sources"))})
