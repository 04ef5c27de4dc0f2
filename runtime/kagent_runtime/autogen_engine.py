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

from kagent_runtime import component_tree, orchestrator
from kagent_runtime.components.model_client import ModelError
from kagent_runtime.components.timeout import timeout_reason
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
from kagent_runtime.running import STOP

_log = logging.getLogger(__name__)
_GRACE_SECONDS = 3.0
_CUT_OFF = "The turn was cut off by its time limit: the agents do not remember it."
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
        self._tree = component_tree.with_stop(component_tree.with_team_events(guarded))
        self._deadline = component_tree.deadline(tree)
        self._announces_ends = component_tree.announces_ends(tree)
        self._answering = component_tree.answering_with_json(tree)
        self._is_team = loaded.config.metadata.kind == "AgentTeam"
        self._handoffs = component_tree.handoff_names(tree)
        self.state_version = component_tree.state_version(tree)
        self.config_version = component_tree.config_version(guarded, self._limits.model_dump(mode="json"))

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
        if not self._is_team:
            return ChatAgent.load_component(self._tree)
        team = Team.load_component(self._tree)
        if self._announces_ends:
            from kagent_runtime.components.stop_message import announce_ends

            announce_ends(team)  # type: ignore[arg-type]
        return team

    async def run(self, task: str, state: SavedState | None, stop: Stop) -> AsyncIterator[EngineEvent]:
        """One turn on a fresh instance; see Engine."""
        token = CancellationToken()
        stop.on_request(token.cancel)
        meter = Meter(self._limits)
        METER.set(meter)
        STOP.set(stop)
        clock = _Clock(self._deadline, token)
        try:
            async for event in self._turn(task, state, token, meter):
                yield event
        except (Exception, asyncio.CancelledError) as error:
            # A cancelled token surfaces as CancelledError, or as whatever it broke on the way.
            if stop.is_requested:
                raise Cancelled(meter.usage) from None
            if clock.has_struck():
                yield Notice(_CUT_OFF)
                yield Finished(timeout_reason(clock.seconds), None, meter.usage)
                return
            if isinstance(error, asyncio.CancelledError):
                raise
            if meter.reached is not None:
                raise Limited(meter.reached, meter.usage) from None
            raise _explained(error, meter) from None
        finally:
            clock.stop()

    async def _turn(
        self, task: str, state: SavedState | None, token: CancellationToken, meter: Meter
    ) -> AsyncIterator[EngineEvent]:
        instance = await self._resumed(state)
        if instance is None:
            instance = self._load()
            yield Notice(_FORGOTTEN)
        reported = Usage()
        async for item in instance.run_stream(
            task=self._task(task, state), cancellation_token=token, output_task_messages=False
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

    def _task(self, text: str, state: SavedState | None) -> Any:
        target = component_tree.addressee(self._tree, state.data if state else None)
        return HandoffMessage(source="user", target=target, content=text) if target else text

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
            shown = orchestrator.readable(text) if item.source == orchestrator.NAME else text
            output = _output(text) if item.source in self._answering else None
            yield Message(item.id, item.source, shown, _usage(item), output)

    def _calls(self, item: ToolCallRequestEvent) -> Iterator[EngineEvent]:
        for call in item.content:
            if call.name not in self._handoffs:
                yield ToolCall(call.id, item.source, call.name, _arguments(call.arguments))

    def _results(self, item: ToolCallExecutionEvent) -> Iterator[EngineEvent]:
        for result in item.content:
            if result.name not in self._handoffs:
                yield ToolResult(result.call_id, item.source, result.name, result.content, bool(result.is_error))


class _Clock:
    """Cuts a run off at its deadline: by its token, and by its task when a library ignores the token."""

    def __init__(self, seconds: int | None, token: CancellationToken) -> None:
        self.seconds, self._token, self._task = seconds or 0, token, asyncio.current_task()
        self._timer: asyncio.TimerHandle | None = None
        self._struck = self._cancelled = False
        if seconds is not None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._strike)

    def has_struck(self) -> bool:
        """Whether the deadline has passed. Takes back the cancel of the task, if it came to that."""
        if self._cancelled and self._task is not None:
            self._cancelled = False
            self._task.uncancel()
        return self._struck

    def stop(self) -> None:
        """The run has ended."""
        if self._timer is not None:
            self._timer.cancel()

    def _strike(self) -> None:
        self._struck = True
        self._token.cancel()
        self._timer = asyncio.get_running_loop().call_later(_GRACE_SECONDS, self._cut)

    def _cut(self) -> None:
        if self._task is not None:
            self._cancelled = True
            self._task.cancel()


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
