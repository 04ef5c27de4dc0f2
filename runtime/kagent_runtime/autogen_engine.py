"""The engine on AutoGen AgentChat: the only module, beside components and demo, that imports it.

An AutoGen instance is corrupt after a cancel or an error, and holds one conversation only; building one costs
0.3 ms over a shared model client. So every run gets a fresh one, and the state of the last good run.
"""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

# 170 spans for a two-agent run, per chunk: off before autogen_core is imported.
os.environ.setdefault("AUTOGEN_DISABLE_RUNTIME_TRACING", "true")

from autogen_agentchat.base import ChatAgent, TaskResult, Team
from autogen_agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    HandoffMessage,
    ModelClientStreamingChunkEvent,
    SelectSpeakerEvent,
    ToolCallExecutionEvent,
    ToolCallRequestEvent,
)
from autogen_core import CancellationToken

from kagent_runtime.components.model_client import ModelError
from kagent_runtime.config import LoadedConfig
from kagent_runtime.engine import (
    Cancelled,
    Delta,
    EngineError,
    EngineEvent,
    Finished,
    Handoff,
    Message,
    SpeakerSelected,
    State,
    Stop,
    ToolCall,
    ToolResult,
    Usage,
)

_SWARM = "autogen_agentchat.teams.Swarm"
_ROUND_ROBIN = "autogen_agentchat.teams.RoundRobinGroupChat"


def quiet_loggers() -> None:
    """AutoGen logs whole prompts, tool arguments and results at INFO: never in production."""
    for name in ("autogen_core", "autogen_core.events", "autogen_core.trace", "autogen_agentchat"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


class AutoGenEngine:
    """Runs a component tree. `is_replay` puts the replay model in place of every model."""

    def __init__(self, loaded: LoadedConfig, *, is_replay: bool) -> None:
        self._tree = _with_team_events(_replayed(loaded.component) if is_replay else loaded.component)
        self._is_team = loaded.config.metadata.kind == "AgentTeam"
        self._handoffs = set(_handoff_names(loaded.component))

    async def start(self) -> None:
        """Load the tree once. Raises EngineError for a missing key or a component that does not load."""
        quiet_loggers()
        try:
            self._load()
        except ModelError as error:
            raise EngineError("The model cannot be used", str(error)) from None
        except Exception as error:
            raise EngineError("The config does not load", f"{type(error).__name__}: {_first_line(error)}") from error

    def _load(self) -> Any:
        return Team.load_component(self._tree) if self._is_team else ChatAgent.load_component(self._tree)

    async def run(self, task: str, state: State | None, stop: Stop) -> AsyncIterator[EngineEvent]:
        """One turn on a fresh instance; see Engine."""
        token = CancellationToken()
        stop.on_request(token.cancel)
        try:
            async for event in self._turn(task, state, token):
                yield event
        except (Exception, asyncio.CancelledError) as error:
            # A cancelled token surfaces as CancelledError, or as whatever it broke on the way.
            if stop.is_requested:
                raise Cancelled from None
            if isinstance(error, asyncio.CancelledError):
                raise
            raise _explained(error) from None

    async def _turn(self, task: str, state: State | None, token: CancellationToken) -> AsyncIterator[EngineEvent]:
        instance = self._load()
        if state is not None:
            await instance.load_state(self._resumed(state))
        usage = Usage()
        async for item in instance.run_stream(task=self._task(task), cancellation_token=token):
            if isinstance(item, TaskResult):
                saved = json.loads(json.dumps(await instance.save_state()))
                yield Finished(item.stop_reason, saved, usage)
                continue
            for event in self._events(item):
                usage = usage.plus(event.usage if isinstance(event, Message) else None)
                yield event

    def _task(self, text: str) -> Any:
        # A plain task goes to whoever got the last handoff, which need not be able to hand over again, and
        # fails when that was a handoff to the user. A handoff from the user starts at the first agent.
        if self._tree["provider"] == _SWARM:
            first = self._tree["config"]["participants"][0]["config"]["name"]
            return HandoffMessage(source="user", target=first, content=text)
        return text

    def _resumed(self, state: State) -> State:
        # A RoundRobin would go on with the member after the last speaker; a new task is for the first.
        if self._tree["provider"] != _ROUND_ROBIN:
            return state
        changed = copy.deepcopy(state)
        manager = changed.get("agent_states", {}).get("RoundRobinGroupChatManager")
        if manager is not None:
            manager["next_speaker_index"] = 0
        return changed

    def _events(self, item: BaseAgentEvent | BaseChatMessage) -> Iterator[EngineEvent]:
        if item.source == "user":
            return
        if isinstance(item, ModelClientStreamingChunkEvent):
            yield Delta(item.full_message_id or item.id, item.source, item.content)
        elif isinstance(item, SelectSpeakerEvent):
            yield from (SpeakerSelected(name) for name in item.content)
        elif isinstance(item, ToolCallRequestEvent):
            yield from self._calls(item)
        elif isinstance(item, ToolCallExecutionEvent):
            yield from self._results(item)
        elif isinstance(item, HandoffMessage):
            yield Handoff(item.source, item.target, item.content)
        elif isinstance(item, BaseChatMessage):
            yield Message(item.id, item.source, item.to_text(), _usage(item))

    def _calls(self, item: ToolCallRequestEvent) -> Iterator[EngineEvent]:
        for call in item.content:
            if call.name not in self._handoffs:
                yield ToolCall(call.id, item.source, call.name, _arguments(call.arguments))

    def _results(self, item: ToolCallExecutionEvent) -> Iterator[EngineEvent]:
        for result in item.content:
            if result.name not in self._handoffs:
                yield ToolResult(result.call_id, item.source, result.name, result.content, bool(result.is_error))


def _replayed(tree: dict[str, Any]) -> dict[str, Any]:
    from kagent_runtime.demo.replay import with_replay_models

    return with_replay_models(tree)


def _with_team_events(tree: dict[str, Any]) -> dict[str, Any]:
    changed = copy.deepcopy(tree)
    if changed["component_type"] == "team":
        changed["config"]["emit_team_events"] = True
    return changed


def _handoff_names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "handoffs":
                yield from (handoff["name"] for handoff in item or [])
            else:
                yield from _handoff_names(item)
    elif isinstance(value, list):
        for item in value:
            yield from _handoff_names(item)


def _usage(item: BaseChatMessage) -> Usage | None:
    used = item.models_usage
    return Usage(used.prompt_tokens, used.completion_tokens) if used else None


def _arguments(text: str) -> dict[str, Any] | str:
    try:
        parsed = json.loads(text)
    except ValueError:
        return text
    return parsed if isinstance(parsed, dict) else text


def _explained(error: Exception) -> EngineError:
    """A team wraps an agent's error into a RuntimeError whose text carries a traceback: keep the first line."""
    line = _first_line(error)
    if isinstance(error, ModelError) or line.startswith("ModelError: "):
        return EngineError("The model call failed", line.removeprefix("ModelError: "))
    logging.getLogger(__name__).error("run failed: %s", type(error).__name__)
    return EngineError(
        "The run failed", line if isinstance(error, (RuntimeError, ValueError)) else type(error).__name__
    )


def _first_line(error: Exception) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)[:400]
