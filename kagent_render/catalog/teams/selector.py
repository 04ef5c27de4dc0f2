"""Selector: a model chooses who speaks next."""

from __future__ import annotations

from collections.abc import Iterator
from string import Formatter

from kagent_render.catalog.base import Component, Problem, Team, component

NAME = "Selector"
_FIELDS = {"roles", "participants", "history"}
DEFAULT_PROMPT = (
    "You decide who speaks next in a conversation. The following roles are available:\n{roles}\n\n"
    "Read the conversation below, then select the next role from {participants}. Answer with the role only.\n\n"
    "{history}\n\n"
    "Select the next role from {participants}. Answer with the role only."
)


def check(team: Team) -> Iterator[Problem]:
    """AutoGen wants two members and a well-formed prompt, but finds the latter out in mid-conversation."""
    if len(team.members) < 2:
        yield Problem("KR305", "a Selector needs at least two members", ("agents",), "add a member, or use RoundRobin")
    if team.selector_prompt is not None and (problem := _prompt_problem(team.selector_prompt)):
        help = "fields are {roles}, {participants} and {history}; write any other brace twice"
        yield Problem("KR307", problem, ("selector", "prompt"), help)
    if team.selector_model is None:
        yield Problem("KR308", "the members use different models", (), "add selector: {modelConfigRef: {name: …}}")


def _prompt_problem(prompt: str) -> str | None:
    try:
        fields = [field for _, field, _, _ in Formatter().parse(prompt) if field is not None]
    except ValueError as error:
        return f"not a format string: {str(error).lower()}"
    unknown = next((field for field in fields if field not in _FIELDS), None)
    return f"`{{{unknown}}}` is not a field of the selector prompt" if unknown is not None else None


def lower(team: Team) -> Component:
    """AutoGen's SelectorGroupChat. `model_client` and `selector_prompt` are required in its config."""
    config = team.shared_config() | {
        "model_client": team.selector_model,
        "selector_prompt": team.selector_prompt or DEFAULT_PROMPT,
        "allow_repeated_speaker": team.allow_repeated_speaker,
        "max_selector_attempts": team.max_selector_attempts,
    }
    return component("autogen_agentchat.teams.SelectorGroupChat", "team", config)
