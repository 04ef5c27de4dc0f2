"""The engine on AutoGen AgentChat: the only module, beside components and demo, that imports it.

An AutoGen instance is corrupt after a cancel or an error, and holds one conversation only; building one costs
0.3 ms over a shared model client. So every run gets a fresh one, and the state of the last good run.
"""

from __future__ import annotations

import asyncio
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
    ThoughtEvent,
    ToolCallExecutionEvent,
    ToolCallRequestEvent,
)
from autogen_core import CancellationToken

from kagent_runtime import component_tree
from kagent_runtime.components.model_client import ModelError
from kagent_runtime.config import LoadedConfig
from kagent_runtime.engine import (
    Cancelled,
    Delta,
    EngineError,
    EngineEvent,
    Finished,
    Handoff,
    Limited,
    Message,
    Notice,
    SavedState,
    SpeakerSelected,
    Stop,
    ToolCall,
    ToolResult,
    Usage,
)
from kagent_runtime.meter import METER, Meter
from kagent_runtime.model import RunLimits

_log = logging.getLogger(__name__)
_SWARM = "autogen_agentchat.teams.Swarm"
_FORGOTTEN = "The agent has changed since the last message: it does not remember the conversation so far."


def quiet_loggers() -> None:
    """AutoGen logs whole prompts, tool arguments and results at INFO: never in production."""
    for name in ("autogen_core", "autogen_core.events", "autogen_core.trace", "autogen_agentchat"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


class AutoGenEngine:
    """Runs a component tree. `is_replay` puts the replay model in place of every model."""

    def __init__(self, loaded: LoadedConfig, *, is_replay: bool) -> None:
        tree = _replayed(loaded.component) if is_replay else loaded.component
        guarded = component_tree.with_gates(tree, loaded.config)
        self._limits = loaded.config.limits or RunLimits()
        self._tree = component_tree.with_team_events(guarded)
        self._answering = component_tree.answering_with_json(tree)
        self._is_team = loaded.config.metadata.kind == "AgentTeam"
        self._handoffs = component_tree.handoff_names(tree)
        self.state_version = component_tree.state_version(tree)

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

    async def run(self, task: str, state: SavedState | None, stop: Stop) -> AsyncIterator[EngineEvent]:
        """One turn on a fresh instance; see Engine."""
        token = CancellationToken()
        stop.on_request(token.cancel)
        meter = Meter(self._limits)
        METER.set(meter)
        try:
            async for event in self._turn(task, state, token, meter):
                yield event
        except (Exception, asyncio.CancelledError) as error:
            # A cancelled token surfaces as CancelledError, or as whatever it broke on the way.
            if stop.is_requested:
                raise Cancelled(meter.usage) from None
            if isinstance(error, asyncio.CancelledError):
                raise
            if meter.reached is not None:
                raise Limited(meter.reached, meter.usage) from None
            raise _explained(error, meter) from None

    async def _turn(
        self, task: str, state: SavedState | None, token: CancellationToken, meter: Meter
    ) -> AsyncIterator[EngineEvent]:
        instance = await self._resumed(state)
        if instance is None:
            instance = self._load()
            yield Notice(_FORGOTTEN)
        reported = Usage()
        async for item in instance.run_stream(
            task=self._task(task), cancellation_token=token, output_task_messages=False
        ):
            if isinstance(item, TaskResult):
                saved = json.loads(json.dumps(await instance.save_state()))
                # The replay model has no meter: then what the messages say is all there is.
                usage = meter.usage if meter.calls else reported
                yield Finished(meter.reached or item.stop_reason, saved, usage, meter.reached is not None)
                continue
            reported = reported.plus(_usage(item))
            for event in self._events(item):
                yield event

    async def _resumed(self, state: SavedState | None) -> Any | None:
        """A fresh instance with this state in it; None when the state does not fit."""
        instance = self._load()
        if state is None:
            return instance
        if state.version != self.state_version:
            return None
        try:
            await instance.load_state(component_tree.restarted(state.data))
        except Exception as error:
            _log.warning("the saved state does not load", extra={"error": type(error).__name__})
            return None
        return instance

    def _task(self, text: str) -> Any:
        # A plain task goes to whoever got the last handoff, which need not be able to hand over again, and
        # fails when that was a handoff to the user. A handoff from the user starts at the first agent.
        if self._tree["provider"] == _SWARM:
            first = self._tree["config"]["participants"][0]["config"]["name"]
            return HandoffMessage(source="user", target=first, content=text)
        return text

    def _events(self, item: BaseAgentEvent | BaseChatMessage) -> Iterator[EngineEvent]:
        if isinstance(item, ModelClientStreamingChunkEvent):
            yield Delta(item.full_message_id or item.id, item.source, item.content)
        elif isinstance(item, SelectSpeakerEvent):
            yield from (SpeakerSelected(name) for name in item.content)
        elif isinstance(item, ToolCallRequestEvent):
            yield from self._calls(item)
        elif isinstance(item, ToolCallExecutionEvent):
            yield from self._results(item)
        elif isinstance(item, ThoughtEvent):
            # The text beside a tool call; it was streamed, so it belongs to the log.
            yield Message(item.id, item.source, item.content, None)
        elif isinstance(item, HandoffMessage):
            yield Handoff(item.source, item.target, item.content)
        elif isinstance(item, BaseChatMessage):
            text = item.to_text()
            output = _output(text) if item.source in self._answering else None
            yield Message(item.id, item.source, text, _usage(item), output)

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


def _output(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:  # such as the raw result of a tool
        return None


def _usage(item: BaseAgentEvent | BaseChatMessage) -> Usage | None:
    used = item.models_usage
    return Usage(used.prompt_tokens, used.completion_tokens) if used else None


def _arguments(text: str) -> dict[str, Any] | str:
    try:
        parsed = json.loads(text)
    except ValueError:
        return text
    return parsed if isinstance(parsed, dict) else text


def _explained(error: Exception, meter: Meter) -> EngineError:
    # A team turns an agent's error into the text of a RuntimeError, traceback included; so the model client
    # leaves its own error in the meter. Of any other only the type is told: its text may quote a prompt.
    failure = error if isinstance(error, ModelError) else meter.failure
    if failure is not None:
        title = failure.title if isinstance(failure, ModelError) else ModelError.title
        return EngineError(title, str(failure), meter.usage)
    _log.error("run failed", extra={"error": type(error).__name__})
    return EngineError("The run failed", f"The agent ended with an error ({type(error).__name__}).", meter.usage)


def _first_line(error: Exception) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)[:400]
