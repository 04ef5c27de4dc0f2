"""The replayed orchestrator of a MagenticOne: it asks every member once, in order, and then answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from autogen_core.models import LLMMessage, UserMessage

from kagent_runtime.demo import answers
from kagent_runtime.demo.roles import ReplayConfig

# Words of AutoGen's prompts (autogen_agentchat 0.7.5, _magentic_one/_prompts.py), and of our own task.
_FACTS, _PLAN, _LEDGER = "pre-survey", "devise a short bullet-point plan", '"is_request_satisfied"'
_REQUESTS = ("Here is the request:\n\n", "working on the following request:\n\n", "working on the following task:\n")
_AFTER = (
    "\n\nThe conversation before this request",
    "\n\nHere is the pre-survey",
    "\n\nAnd we have",
    "\n\nWe have completed",
)


def answer(config: ReplayConfig, messages: Sequence[LLMMessage]) -> str:
    """What the orchestrator's prompt asks for."""
    prompt = str(messages[-1].content)
    names = [participant.name for participant in config.participants]
    said = [(m.source, str(m.content)) for m in messages if isinstance(m, UserMessage) and m.source in names]
    question = request(prompt)
    if _LEDGER in prompt:
        spoken = {name for name, _ in said}
        return ledger(question, [name for name in names if name not in spoken])
    if _FACTS in prompt:
        return answers.facts(question)
    return answers.plan(config) if _PLAN in prompt else answers.final_answer(question, said)


def request(prompt: str) -> str:
    """The user's own words in a prompt of the orchestrator."""
    for mark in _REQUESTS:
        _, found, rest = prompt.partition(mark)
        if found:
            ends = [index for mark in _AFTER if (index := rest.find(mark)) >= 0]
            return rest[: min(ends, default=len(rest))].strip()
    return ""


def ledger(question: str, waiting: list[str]) -> str:
    """The progress ledger, as JSON: the next member that has not spoken, until all have."""
    values: dict[str, Any] = {
        "is_request_satisfied": not waiting,
        "is_in_loop": False,
        "is_progress_being_made": True,
        "next_speaker": waiting[0] if waiting else "",
        "instruction_or_question": question if waiting else "",
    }
    reason = f"{waiting[0]} has not spoken yet" if waiting else "every member has spoken"
    return json.dumps({key: {"reason": reason, "answer": value} for key, value in values.items()})
