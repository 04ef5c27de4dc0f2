"""What a replayed model reads from the messages it is given: the question, who spoke, which tools answered."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autogen_core import FunctionCall
from autogen_core.models import AssistantMessage, FunctionExecutionResultMessage, LLMMessage, UserMessage

from kagent_runtime import orchestrator

_ASKING = ("user", orchestrator.NAME)


@dataclass(frozen=True)
class Answered:
    """One tool call and what came back."""

    name: str
    arguments: dict[str, Any]
    content: str
    is_error: bool


@dataclass(frozen=True)
class Conversation:
    """The messages since the newest question of the user."""

    question: str
    texts: tuple[tuple[str, str], ...]  # (source, text) of others
    own_texts: tuple[str, ...]
    answered: tuple[Answered, ...]

    @property
    def sources(self) -> frozenset[str]:
        """The agents other than this one that have spoken."""
        return frozenset(source for source, _ in self.texts)

    @property
    def evidence(self) -> list[str]:
        """Every text that may hold facts, oldest first: what others said, then what the tools returned."""
        return [text for _, text in self.texts] + [call.content for call in self.answered if not call.is_error]


def read(messages: Sequence[LLMMessage], *, ignore: frozenset[str] = frozenset()) -> Conversation:
    """Read the part of the messages that belongs to the newest question; `ignore` names tools that only hand over."""
    start, question = _start(messages)
    recent = messages[start:]
    return Conversation(
        question=question,
        texts=tuple((m.source, _text(m)) for m in recent if isinstance(m, UserMessage) and m.source not in _ASKING),
        own_texts=tuple(m.content for m in recent if isinstance(m, AssistantMessage) and isinstance(m.content, str)),
        answered=tuple(call for call in _answered(recent) if call.name not in ignore),
    )


def _start(messages: Sequence[LLMMessage]) -> tuple[int, str]:
    """Where the newest question begins, and what it is: the user's, or the orchestrator's newest instruction."""
    orders = [index for index, message in enumerate(messages) if _is_from(message, orchestrator.NAME)]
    if orders:
        return orders[0], _text(messages[orders[-1]])  # an orchestrator clears its agents before every task
    users = [index for index, message in enumerate(messages) if _is_from(message, "user")]
    return (users[-1], _text(messages[users[-1]])) if users else (0, "")


def _is_from(message: LLMMessage, source: str) -> bool:
    return isinstance(message, UserMessage) and message.source == source


def _text(message: LLMMessage) -> str:
    content = message.content
    return content if isinstance(content, str) else " ".join(part for part in content if isinstance(part, str))


def _answered(messages: Sequence[LLMMessage]) -> tuple[Answered, ...]:
    calls: dict[str, FunctionCall] = {}
    found: list[Answered] = []
    for message in messages:
        if isinstance(message, AssistantMessage) and not isinstance(message.content, str):
            calls |= {call.id: call for call in message.content}
        elif isinstance(message, FunctionExecutionResultMessage):
            for result in message.content:
                arguments = _arguments(calls.get(result.call_id))
                found.append(Answered(result.name, arguments, result.content, bool(result.is_error)))
    return tuple(found)


def _arguments(call: FunctionCall | None) -> dict[str, Any]:
    try:
        arguments = json.loads(call.arguments) if call else {}
    except ValueError:
        return {}
    return arguments if isinstance(arguments, dict) else {}
