"""The gate around every workbench and the guard around every model, where those misbehave as AutoGen allows."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from autogen_core import CancellationToken
from autogen_core.models import CreateResult, RequestUsage, UserMessage
from autogen_core.tools import TextResultContent, ToolResult, ToolSchema, Workbench
from autogen_ext.models.replay import ReplayChatCompletionClient

from kagent_runtime.approvals import APPROVALS, Approvals, Decision
from kagent_runtime.components.gate import Gate
from kagent_runtime.components.model_guard import ModelGuard
from kagent_runtime.meter import METER, LimitReached, Meter
from kagent_runtime.model import RunLimits
from kagent_runtime.storage.decisions import AskedCall, canonical


class Bench(Workbench):
    """A workbench of somebody else: it changes its arguments, and raises when it is told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any, str | None]] = []
        self.error: Exception | None = None

    async def list_tools(self) -> list[ToolSchema]:
        """One tool."""
        if self.error:
            raise self.error
        return [ToolSchema(name="delete", description="Deletes")]

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        """Remembers the call."""
        if self.error:
            raise self.error
        self.calls.append((name, arguments, call_id))
        return ToolResult(name=name, result=[TextResultContent(content="done")])

    async def start(self) -> None:
        """Nothing."""

    async def stop(self) -> None:
        """Nothing."""

    async def reset(self) -> None:
        """Nothing."""

    async def save_state(self) -> Mapping[str, Any]:
        """Nothing."""
        return {}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """Nothing."""


async def test_a_workbench_that_raises_is_a_failed_call() -> None:
    """AutoGen waits for ever for one (upstream #7956); the text of the exception may hold a credential."""
    bench = Bench()
    gate = Gate(bench, "a", frozenset())
    assert [tool["name"] for tool in await gate.list_tools()] == ["delete"]
    bench.error = RuntimeError("token abc")
    result = await gate.call_tool("delete", {})
    assert (result.is_error, result.to_text()) == (True, "the tool failed: RuntimeError")
    assert [tool["name"] for tool in await gate.list_tools()] == ["delete"]
    with pytest.raises(RuntimeError):
        await Gate(bench, "a", frozenset()).list_tools()


async def test_arguments_that_are_no_object_are_refused() -> None:
    """Models send lists; a workbench would raise."""
    bench = Bench()
    result = await Gate(bench, "a", frozenset()).call_tool("delete", ["x"])  # type: ignore[arg-type]
    assert result.is_error
    assert bench.calls == []


async def test_without_anybody_to_ask_the_answer_is_no() -> None:
    """Such as another program that runs the engine."""
    bench = Bench()
    result = await Gate(bench, "a", frozenset({"delete"})).call_tool("delete", {}, None, "1")
    assert result.is_error
    assert bench.calls == []


class Notes:
    """A register of questions and decisions in memory; `error` is what writing raises."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked: list[AskedCall] = []
        self.error = error

    async def ask(self, call: AskedCall) -> AskedCall:
        """Remembers the question."""
        if self.error:
            raise self.error
        self.asked.append(replace(call, id=call.call_id))
        return self.asked[-1]

    async def decide(self, id: str, decision: Decision) -> Decision:
        """Whatever was decided holds."""
        return decision


def _approvals(notes: Notes) -> Approvals:
    approvals = Approvals(notes, "run", 5.0)
    APPROVALS.set(approvals)
    approvals.announce("1")
    return approvals


async def test_what_runs_is_what_was_shown() -> None:
    """Although the caller changes its arguments while the call waits."""
    bench, notes = Bench(), Notes()
    approvals = _approvals(notes)
    arguments = {"names": ["one"]}
    calling = asyncio.create_task(Gate(bench, "a", frozenset({"delete"})).call_tool("delete", arguments, None, "1"))
    while not notes.asked:
        await asyncio.sleep(0)
    arguments["names"].append("two")
    assert json.loads(notes.asked[0].arguments) == {"names": ["one"]}
    approvals.decided("1", Decision("approve", "person"))
    assert not (await calling).is_error
    assert bench.calls == [("delete", {"names": ["one"]}, "1")]


async def test_a_decision_that_is_faster_than_the_question_counts() -> None:
    """It was written, and told to this process, before the caller had begun to wait."""
    bench = Bench()
    approvals = _approvals(Notes())
    approvals.decided("1", Decision("approve", "person"))
    assert not (await Gate(bench, "a", frozenset({"delete"})).call_tool("delete", {}, None, "1")).is_error


async def test_an_earlier_decision_is_for_the_very_same_call() -> None:
    """After an interruption: another argument, tool or agent is asked for anew."""
    earlier = AskedCall("1", "run", "1", "a", "delete", canonical({"name": "x"}), time.time() + 9, "approve", "person")
    others = {"arguments": canonical({"name": "y"}), "name": "read", "agent": "b", "call_id": "2"}
    changes: list[dict[str, Any]] = [{}, *({field: value} for field, value in others.items())]
    for change in changes:
        bench, notes = Bench(), Notes()
        approvals = Approvals(notes, "run", 0.05, [replace(earlier, **change)])
        APPROVALS.set(approvals)
        approvals.announce("1")
        result = await Gate(bench, "a", frozenset({"delete"})).call_tool("delete", {"name": "x"}, None, "1")
        assert (result.is_error, len(bench.calls), len(notes.asked)) == ((True, 0, 1) if change else (False, 1, 0))


async def test_a_log_that_cannot_be_written_means_no() -> None:
    """Nobody could have seen the question."""
    bench = Bench()
    approvals = _approvals(Notes(OSError("disk full")))
    result = await Gate(bench, "a", frozenset({"delete"})).call_tool("delete", {}, None, "1")
    assert result.is_error
    assert (bench.calls, approvals.is_waiting) == ([], False)


async def test_after_the_end_of_the_run_nothing_is_asked() -> None:
    """A call that was slow to start finds the run closed."""
    notes = Notes()
    await _approvals(notes).close()
    assert (await Gate(Bench(), "a", frozenset({"delete"})).call_tool("delete", {}, None, "1")).is_error
    assert notes.asked == []


@pytest.mark.parametrize("is_streaming", [False, True])
async def test_a_server_that_does_not_count_cannot_evade_the_limit(*, is_streaming: bool) -> None:
    """Old vLLM and most proxies leave the usage out of a stream."""
    nothing = RequestUsage(prompt_tokens=0, completion_tokens=0)
    answer = CreateResult(finish_reason="stop", content="x" * 400, usage=nothing, cached=False)
    guard = ModelGuard(ReplayChatCompletionClient([answer, answer]))
    meter = Meter(RunLimits(totalTokens=100))
    METER.set(meter)
    question = [UserMessage(content="y" * 40, source="user")]

    async def call() -> None:
        if is_streaming:
            async for _ in guard.create_stream(question):
                pass
        else:
            await guard.create(question)

    await call()
    assert meter.usage.completion == 101
    with pytest.raises(LimitReached, match="token limit of 100 reached"):
        await call()
