"""A model script that the conversation itself carries: the last user message says what every agent answers.

A message is `{"agent_id": [step, …], …}` in JSON (see tests/edge/script.py for steps); the system prompt says
which agent asks, and its own answers since that message say which step is next.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.edge.model_server import ModelRequest

JSON = dict[str, Any]
Script = Callable[[ModelRequest], JSON]


def task(**steps: Sequence[Mapping[str, Any]]) -> str:
    """The message that makes each agent answer its steps."""
    return json.dumps(steps)


def puppet(*selected: str) -> Script:
    """The script; `selected` are the answers to a Selector's questions, which no agent's system prompt precedes."""
    choices = iter(selected)

    def answer(request: ModelRequest) -> JSON:
        agent = _agent(request)
        if agent is None:
            return {"text": next(choices)}
        steps, done = _progress(request.messages)
        return steps[agent][done]

    return answer


def _agent(request: ModelRequest) -> str | None:
    start, _, rest = request.system.partition("You are ")
    return rest.partition(".")[0] if rest and not start else None


def _progress(messages: list[JSON]) -> tuple[dict[str, list[JSON]], int]:
    tasks = [index for index, message in enumerate(messages) if _is_task(message)]
    steps = json.loads(messages[tasks[-1]]["content"])
    return steps, sum(message["role"] == "assistant" for message in messages[tasks[-1] :])


def _is_task(message: JSON) -> bool:
    return message["role"] == "user" and str(message["content"]).startswith("{")
