"""A condition on the end of a nested team, and what makes AutoGen tell that end.

AutoGen drops the stop reason of a nested team, and no AssistantAgent sends a StopMessage: without this, the
condition would wait for ever.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any, Self

from autogen_agentchat.base import TaskResult
from autogen_agentchat.messages import StopMessage as Stop
from autogen_agentchat.teams import BaseGroupChat
from autogen_core import Component

from kagent_runtime.components.condition import Condition, Messages
from kagent_runtime.model import NoConfig

_CUT_OFF = "Maximum number of turns"


class StopMessage(Condition, Component[NoConfig]):
    """AutoGen's StopMessageTermination, with who stopped and why as its reason."""

    component_type = "termination"
    component_config_schema = NoConfig
    component_provider_override = "kagent_runtime.components.StopMessage"

    def _reason(self, messages: Messages) -> str | None:
        return next((f"{item.source} has ended: {item.content}" for item in messages if isinstance(item, Stop)), None)

    def _to_config(self) -> NoConfig:
        return NoConfig()

    @classmethod
    def _from_config(cls, config: NoConfig) -> Self:
        return cls()


def announce_ends(team: BaseGroupChat) -> None:
    """Let every nested team below this one send a StopMessage when it comes to its own end."""
    for member in team._participants:
        if isinstance(member, BaseGroupChat):
            announce_ends(member)
            member.run_stream = _announcing(member.name, member.run_stream)  # type: ignore[method-assign, assignment]


def _announcing(name: str, run_stream: Callable[..., Any]) -> Callable[..., AsyncIterator[Any]]:
    async def announced(**arguments: Any) -> AsyncIterator[Any]:
        async for item in run_stream(**arguments):
            if isinstance(item, TaskResult) and item.stop_reason and not item.stop_reason.startswith(_CUT_OFF):
                end = Stop(content=item.stop_reason, source=name)
                yield TaskResult(messages=[*item.messages, end], stop_reason=item.stop_reason)
            else:
                yield item

    return announced
