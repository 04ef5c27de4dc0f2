"""What a scripted model answers: rules pick a list of steps, a step is one answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

SELECTOR_PROMPT = "select the next role"
"""Words of AutoGen's own selector prompt: what `{"selector": [...]}` matches without `contains`."""


@dataclass(frozen=True)
class Step:
    """One answer of the model; `error`, `cut` and `garbled` are the ways it can go wrong."""

    text: str = ""
    tool_calls: Sequence[Mapping[str, Any]] = ()
    """Each `{"name": …, "arguments": object or raw string}`; a raw string may be broken JSON on purpose.
    An `id` is sent as it is: some servers repeat theirs."""
    error: int = 0
    times: int | None = None
    """How often `error` is answered before the following step is; `None` is every time."""
    retry_after: float | None = None
    sleep: float = 0.0
    """Seconds before the first byte."""
    chunk_sleep: float = 0.0
    """Seconds between two frames of a stream."""
    cut: bool = False
    """Close the connection in the middle of the answer."""
    garbled: bool = False
    """Send what is not JSON in the middle of a stream."""
    finish_reason: str | None = None
    is_silent: bool = False
    """Do not say how many tokens were used, at the end of a stream."""

    @classmethod
    def parse(cls, raw: Step | Mapping[str, Any]) -> Step:
        """Return `raw` as a step; raises ValueError for a key no step has."""
        if isinstance(raw, Step):
            return raw
        unknown = set(raw) - {known.name for known in fields(cls)}
        if unknown:
            raise ValueError(f"unknown step keys: {', '.join(sorted(unknown))}")
        return cls(**raw)


@dataclass(frozen=True)
class Prompt:
    """The parts of a request that rules look at."""

    system: str
    text: str
    assistant_messages: int


@dataclass
class Rule:
    """Steps for the requests whose prompt matches.

    The step is chosen by the number of assistant messages already in the request, so conversations running
    at once do not disturb each other; `by_request` counts the matching requests instead, for prompts that
    carry no history as messages (a Selector's).
    """

    steps: Sequence[Step]
    system: str = ""
    contains: str = ""
    by_request: bool = False
    _errors: dict[int, int] = field(default_factory=dict)
    _served: int = 0

    @classmethod
    def parse(cls, raw: Rule | Mapping[str, Any]) -> Rule:
        """Return `raw` as a rule; raises ValueError for an unknown key."""
        if isinstance(raw, Rule):
            return raw
        if "selector" in raw:
            steps = [Step(text=name) for name in raw["selector"]]
            return cls(steps, contains=raw.get("contains", SELECTOR_PROMPT), by_request=True)
        unknown = set(raw) - {"steps", "system", "contains", "by_request"}
        if unknown:
            raise ValueError(f"unknown rule keys: {', '.join(sorted(unknown))}")
        steps = [Step.parse(step) for step in raw["steps"]]
        return cls(steps, raw.get("system", ""), raw.get("contains", ""), raw.get("by_request", False))

    def matches(self, prompt: Prompt) -> bool:
        """Say whether this rule answers `prompt`."""
        return self.system in prompt.system and self.contains in prompt.text

    def next_step(self, prompt: Prompt) -> Step | None:
        """Return the step for `prompt`, or None when the script has no further one."""
        wanted = self._served if self.by_request else prompt.assistant_messages
        answers = 0
        for index, step in enumerate(self.steps):
            if step.error and answers == wanted and self._error_is_due(index, step):
                return step
            if step.error:
                continue
            if answers == wanted:
                self._served += 1
                return step
            answers += 1
        return None

    def _error_is_due(self, index: int, step: Step) -> bool:
        seen = self._errors.get(index, 0)
        self._errors[index] = seen + 1
        return step.times is None or seen < step.times


@dataclass(frozen=True)
class ScriptError(Exception):
    """The script has no answer for a request: a mistake of the test, said in the reply."""

    reason: str


def first_match(rules: Sequence[Rule], prompt: Prompt) -> Step:
    """Return the next step of the first matching rule; raises ScriptError when there is none."""
    for rule in rules:
        if rule.matches(prompt):
            step = rule.next_step(prompt)
            if step is None:
                raise ScriptError(f"the script is used up after {prompt.assistant_messages} assistant messages")
            return step
    raise ScriptError(f"no rule matches the system prompt {prompt.system[:200]!r}")
