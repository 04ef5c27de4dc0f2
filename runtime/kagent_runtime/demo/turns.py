"""Decides who is next in a replayed team: the Selector's answer, the Swarm's handoffs, and when to end."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from autogen_core.models import AssistantMessage, LLMMessage

from kagent_runtime.demo.conversation import Conversation
from kagent_runtime.demo.roles import ReplayConfig

USER = "user"


def select(config: ReplayConfig, messages: Sequence[LLMMessage]) -> str:
    """The participant after the one that spoke last, in order; the first after a question of the user."""
    names = [participant.name for participant in config.participants]
    refused = [m.content for m in messages if isinstance(m, AssistantMessage) and m.content in names]
    previous = refused[-1] if refused else _last_speaker(config, _prompt(messages))
    return names[(names.index(previous) + 1) % len(names)] if previous in names else names[0]


def _prompt(messages: Sequence[LLMMessage]) -> str:
    texts = [m.content for m in messages if not isinstance(m, AssistantMessage) and isinstance(m.content, str)]
    return texts[0] if texts else ""


def _last_speaker(config: ReplayConfig, prompt: str) -> str | None:
    # The list of roles looks like the history ("name: text"): leave those lines out.
    roles = {re.sub(r"\s+", " ", f"{p.name}: {p.description}").strip() for p in config.participants}
    owners = {member: p.name for p in config.participants for member in p.members}
    last: str | None = None
    for line in prompt.splitlines():
        source, colon, _ = line.partition(":")
        if colon and line.strip() not in roles and (source in owners or source == "user"):
            last = owners.get(source)
    return last


def next_hop(config: ReplayConfig, conversation: Conversation) -> str | None:
    """Whom to hand over to: towards the first participant that has not spoken, else towards one that may end."""
    spoken = conversation.sources | {config.agent}
    hop = _towards(config, lambda name: name not in spoken)
    if hop is not None or config.ending is not None:
        return hop
    if config.endings:
        return _towards(config, lambda name: name in config.endings)
    # No text ends the team: then a question to the user does.
    if USER in config.handoff_graph.get(config.agent, ()):
        return USER
    return _towards(config, lambda name: USER in config.handoff_graph.get(name, ()))


def _towards(config: ReplayConfig, wanted: Callable[[str], bool]) -> str | None:
    """The first step of the shortest way through the handoffs; nearer and earlier participants win."""
    order = [participant.name for participant in config.participants]
    seen = {config.agent}
    paths: list[tuple[str, str]] = [(target, target) for target in _targets(config, config.agent, order)]
    while paths:
        name, first = paths.pop(0)
        if wanted(name):
            return first
        seen.add(name)
        paths += [(target, first) for target in _targets(config, name, order) if target not in seen]
    return None


def _targets(config: ReplayConfig, name: str, order: list[str]) -> list[str]:
    targets = config.handoff_graph.get(name, [])
    return [candidate for candidate in order if candidate in targets and candidate != config.agent]


def ends_now(config: ReplayConfig, conversation: Conversation) -> bool:
    """Whether this answer is the one that ends the team."""
    if config.ending is None:
        return False
    if any(config.handoff_graph.values()):
        return next_hop(config, conversation) is None
    return config.last or bool(conversation.own_texts)
