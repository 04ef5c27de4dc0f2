"""The gate around every workbench and the guard around every model, where those misbehave as AutoGen allows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from autogen_core import CancellationToken
from autogen_core.models import CreateResult, RequestUsage, UserMessage
from autogen_core.tools import TextResultContent, ToolResult, ToolSchema, Workbench
from autogen_ext.models.replay import ReplayChatCompletionClient

from kagent_runtime.approvals import APPROVALS, Approvals, NotWaitingError
from kagent_runtime.components.gate import Gate
from kagent_runtime.components.model_guard import ModelGuard
from kagent_runtime.engine import ApprovalDecided, ApprovalRequested
from kagent_runtime.meter import METER, LimitReached, Meter
from kagent_runtime.model import RunLimits


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


async def test_what_runs_is_what_was_shown() -> None:
    """Although the caller changes its arguments while the call waits, and the listener those in the event."""
    bench, events = Bench(), list[ApprovalRequested | ApprovalDecided]()

    async def record(event: ApprovalRequested | ApprovalDecided) -> None:
        events.append(event)

    approvals = Approvals(record, 5.0, set())
    APPROVALS.set(approvals)
    approvals.announce("1")
    arguments = {"names": ["one"]}
    calling = asyncio.create_task(Gate(bench, "a", frozenset({"delete"})).call_tool("delete", arguments, None, "1"))
    while not approvals.is_waiting:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    arguments["names"].append("two")
    assert isinstance(events[0], ApprovalRequested)
    events[0].arguments["names"].append("three")
    approvals.decide("1", "approve", None)
    assert not (await calling).is_error
    assert bench.calls == [("delete", {"names": ["one"]}, "1")]
    with pytest.raises(NotWaitingError):
        approvals.decide("1", "approve", None)


async def test_a_log_that_cannot_be_written_means_no() -> None:
    """Nobody could have seen the question."""
    bench = Bench()

    async def record(_: ApprovalRequested | ApprovalDecided) -> None:
        raise OSError("disk full")

    approvals = Approvals(record, 5.0, set())
    APPROVALS.set(approvals)
    approvals.announce("1")
    result = await Gate(bench, "a", frozenset({"delete"})).call_tool("delete", {}, None, "1")
    assert result.is_error
    assert (bench.calls, approvals.is_waiting) == ([], False)


async def test_after_the_end_of_the_run_nothing_is_asked() -> None:
    """A call that was slow to start finds the run closed."""
    asked = list[Any]()

    async def record(event: ApprovalRequested | ApprovalDecided) -> None:
        asked.append(event)

    approvals = Approvals(record, 5.0, set())
    APPROVALS.set(approvals)
    approvals.announce("1")
    await approvals.close()
    assert (await Gate(Bench(), "a", frozenset({"delete"})).call_tool("delete", {}, None, "1")).is_error
    assert asked == []


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
