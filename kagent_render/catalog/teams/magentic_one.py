"""MagenticOne: an orchestrator plans, asks the members one after another, and writes the answer."""

from __future__ import annotations

from collections.abc import Iterator
from string import Formatter

from kagent_render.catalog.base import Component, Problem, Team, component

NAME = "MagenticOne"
# AutoGen's, which it fills in only when it is unchanged; the runtime's own class fills in any.
DEFAULT_PROMPT = (
    "We are working on the following task:\n{task}\n\nWe have completed the task.\n\n"
    "The above messages contain the conversation that took place to complete the task.\n\n"
    "Based on the information gathered, provide the final answer to the original request.\n"
    "The answer should be phrased as if you were speaking to the user.\n"
)


def check(team: Team) -> Iterator[Problem]:
    """AutoGen refuses nested teams when it loads, and a bad prompt when all the work is done."""
    for index, member in enumerate(team.members):
        if not member.is_agent:
            message = f"`{member.name}` is a team; a MagenticOne has agents only"
            yield Problem("KR311", message, ("agents", index), "list its agents here")
    if team.final_answer_prompt is not None and (problem := _prompt_problem(team.final_answer_prompt)):
        help = "the field is {task}; write any other brace twice"
        yield Problem("KR307", problem, ("magenticOne", "finalAnswerPrompt"), help)
    if team.orchestrator_model is None:
        yield Problem("KR308", "the members use different models", (), "add magenticOne: {modelConfigRef: {name: …}}")


def _prompt_problem(prompt: str) -> str | None:
    try:
        fields = [field for _, field, _, _ in Formatter().parse(prompt) if field is not None]
    except ValueError as error:
        return f"not a format string: {str(error).lower()}"
    unknown = next((field for field in fields if field != "task"), None)
    return f"`{{{unknown}}}` is not a field of the final answer's prompt" if unknown is not None else None


def lower(team: Team) -> Component:
    """The runtime's class over AutoGen's MagenticOneGroupChat, which forgets, and fails on a malformed ledger."""
    config = team.shared_config() | {
        "model_client": team.orchestrator_model,
        "max_stalls": team.max_stalls,
        "final_answer_prompt": team.final_answer_prompt or DEFAULT_PROMPT,
    }
    return component("kagent_runtime.components.MagenticOne", "team", config)
