"""The voice of a MagenticOne's orchestrator: its name in events, and its plan as people read it."""

from __future__ import annotations

NAME = "MagenticOneOrchestrator"
_FACTS = "\n\nHere is an initial fact sheet to consider:\n\n"
_PLAN = "\n\nHere is the plan to follow as best as possible:\n\n"


def readable(text: str) -> str:
    """The facts and the plan of a task ledger, without the request and the team that go before; other text as is."""
    _, mark, rest = text.partition(_FACTS)
    facts, plan_mark, plan = rest.partition(_PLAN)
    if not mark or not plan_mark:
        return text
    return f"**Facts**\n\n{facts.strip()}\n\n**Plan**\n\n{plan.strip()}"
