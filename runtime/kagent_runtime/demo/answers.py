"""Composes what a replayed model says: labelled as a replay, and made of what the tools really returned."""

from __future__ import annotations

import json

from kagent_runtime.demo import evidence
from kagent_runtime.demo.conversation import Answered, Conversation
from kagent_runtime.demo.roles import ReplayConfig

LABEL = "**Replay model, no LLM called.**"
MAX_QUESTION = 200


def first_answer(config: ReplayConfig, conversation: Conversation, *, ending: bool) -> str:
    """The answer of an agent that has not yet spoken about this question."""
    parts = [LABEL, _asked(conversation.question)]
    if conversation.answered:
        parts += _findings(conversation)
    else:
        parts += _no_tools(config, conversation)
    if config.purpose:
        parts.append(f"A real model would now follow its prompt, which begins: “{config.purpose}”")
    return _finish(config, parts, ending=ending)


def later_answer(config: ReplayConfig, *, ending: bool) -> str:
    """The answer of an agent whose turn comes again: short, so that a long team stays readable."""
    return _finish(config, [LABEL, f"{config.agent} has nothing to add."], ending=ending)


def _asked(question: str) -> str:
    short = " ".join(question.split())
    return f"You asked: “{short[:MAX_QUESTION]}{'…' if len(short) > MAX_QUESTION else ''}”" if short else ""


def _no_tools(config: ReplayConfig, conversation: Conversation) -> list[str]:
    spoken = list(dict.fromkeys(source for source, _ in conversation.texts))
    cause = evidence.cause_line([text for _, text in conversation.texts])
    parts = [f"{config.agent} has no tools" + (f"; it read what {_listed(spoken)} said." if spoken else ".")]
    return [*parts, f"The line to build on:\n\n{_block([cause])}"] if cause else parts


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _findings(conversation: Conversation) -> list[str]:
    hosts = evidence.hosts(conversation.evidence)
    parts = [_finding(call, hosts) for call in conversation.answered]
    cause = evidence.cause_line([call.content for call in conversation.answered if not call.is_error])
    return [*parts, f"The most telling line:\n\n{_block([cause])}"] if cause and len(parts) > 1 else parts


def _finding(call: Answered, hosts: frozenset[str]) -> str:
    shown = " ".join(
        f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in call.arguments.items()
    )
    title = f"`{call.name}{' ' + shown if shown else ''}`"
    if call.is_error:
        return f"{title} failed:\n\n{_block(call.content.splitlines()[:3])}"
    count = len(call.content.splitlines())
    size = "1 line" if count == 1 else f"{count} lines"
    lines = _table_lines(call.content) or evidence.telling_lines(call.content, hosts)
    if not lines:
        return f"{title} returned {size}; nothing in it looks wrong."
    return f"{title} returned {size}. What stands out:\n\n{_block(lines)}"


def _table_lines(text: str) -> list[str]:
    """The header and the unhealthy rows, as they were printed."""
    bad = [row["NAME"] for row in evidence.table_rows(text) if row.get("NAME") and evidence.unhealthy(row)]
    lines = text.splitlines()
    header = next((line for line in lines if "NAME" in line.upper().split()), None)
    rows = [line for line in lines if any(name in line.split() for name in bad)]
    return [header, *rows[: evidence.MAX_LINES]] if header and rows else []


def _block(lines: list[str]) -> str:
    return "\n".join(["```text", *(line.replace("```", "'''") for line in lines), "```"])


def _finish(config: ReplayConfig, parts: list[str], *, ending: bool) -> str:
    text = "\n\n".join(part for part in parts if part)
    # A prompt or a log may hold a text that means something to the team; quoting it would end or turn the run.
    for quoted in filter(None, (config.ending, config.say, *config.avoid)):
        text = text.replace(quoted, "(closing text)")
    return "\n\n".join(filter(None, (text, config.say, config.ending if ending else None)))


def facts(question: str) -> str:
    """The fact sheet of an orchestrator before anybody has looked."""
    return "\n\n".join(filter(None, (LABEL, _asked(question), "Nothing is known before the members have looked.")))


def plan(config: ReplayConfig) -> str:
    """Every member once, in order."""
    return "\n".join(f"- {participant.name}: {participant.description}" for participant in config.participants)


def final_answer(question: str, said: list[tuple[str, str]]) -> str:
    """What an orchestrator tells the user in the end."""
    parts = [LABEL, _asked(question), f"{_listed(list(dict.fromkeys(name for name, _ in said)))} answered."]
    cause = evidence.cause_line([text for _, text in said])
    return "\n\n".join(filter(None, [*parts, f"The most telling line:\n\n{_block([cause])}" if cause else ""]))
