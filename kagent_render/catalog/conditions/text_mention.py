"""TextMention: stop when a member says a text.

AutoGen's own TextMentionTermination loses `sources` in its config (upstream PR #7933) and also fires on the
user's message, so the runtime ships one that does neither; without `sources` it listens to every member.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from kagent_render.catalog.base import Component, Problem, component
from kagent_render.catalog.conditions.base import Condition, ConditionScope, Location
from kagent_render.catalog.fields import Text
from kagent_render.diagnostics import did_you_mean


class TextMention(Condition):
    """Stop when one of `sources` (default: any member) says `text`."""

    type: Literal["TextMention"]
    text: Text = Field(description="The text to wait for; case matters.")
    sources: list[str] | None = Field(default=None, min_length=1, description="Members to listen to; default all.")

    def lower(self, scope: ConditionScope, location: Location) -> Component:
        """Listen to the named members; an unknown one is a defect."""
        ids: list[str] = []
        for index, source in enumerate(self.sources or scope.ids):
            if source in scope.ids:
                ids.extend(id for id in scope.ids[source] if id not in ids)
            else:
                place = (*location, "sources", index)
                help = did_you_mean(source, scope.ids) or "members: " + ", ".join(scope.ids)
                scope.problems.append(Problem("KR314", f"`{source}` is not a member of the team", place, help))
        return component("kagent_runtime.components.TextMention", "termination", {"text": self.text, "sources": ids})
