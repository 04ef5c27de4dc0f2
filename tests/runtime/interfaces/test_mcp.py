"""Agents to the official MCP client, over streamable HTTP."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from mcp.client.client import Client
from mcp_types import CallToolResult

from tests.edge.model_server import ModelServer
from tests.runtime.process import Runtime
from tests.runtime.puppet import task
from tests.runtime.specs import agent, compiled

FREE = {"name": "kubectl-describe", "arguments": {"resource": "pods", "name": "checkout-1"}}
HELD = {"name": "kubectl-get", "arguments": {"resource": "pods"}}
MODES = pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])


def client(runtime: Runtime, mode: str = "2026-07-28") -> Client:
    """The client; the newest version of the protocol is without sessions, before there was a handshake."""
    return Client(f"{runtime.url}/mcp", mode=mode)


def text(result: CallToolResult) -> str:
    """The text of a result."""
    (content,) = result.content
    assert content.type == "text"
    return content.text


@MODES
async def test_the_agent_is_one_tool(solo: Runtime, mode: str) -> None:
    """By its name and description."""
    async with client(solo, mode) as mcp:
        (tool,) = (await mcp.list_tools()).tools
        assert (tool.name, tool.description) == ("solo", "The solo")
        assert tool.input_schema["required"] == ["message"]
        result = await mcp.call_tool("solo", {"message": task(solo=[{"text": "Hello."}])})
        assert (text(result), result.is_error) == ("Hello.", False)
        assert result.structured_content["answer"] == "Hello."


async def test_a_session_continues(solo: Runtime, model: ModelServer) -> None:
    async with client(solo) as mcp:
        first = await mcp.call_tool("solo", {"message": task(solo=[{"text": "one"}])})
        session = first.structured_content["session"]
        second = await mcp.call_tool("solo", {"message": task(solo=[{"text": "two"}]), "session": session})
        assert second.structured_content == {"answer": "two", "session": session}
        assert "one" in [message["content"] for message in model.requests[-1].messages]
        assert len([event for event in solo.log(session) if event["type"] == "message.user"]) == 2


@MODES
async def test_what_happens_is_progress(solo: Runtime, mode: str) -> None:
    """Numbered upwards, in words."""
    told: list[tuple[float, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, message))

    async with client(solo, mode) as mcp:
        message = task(solo=[{"tool_calls": [FREE]}, {"text": "It runs."}])
        result = await mcp.call_tool("solo", {"message": message}, progress_callback=note)
    assert text(result) == "It runs."
    assert [number for number, _ in told] == list(range(1, len(told) + 1))
    assert 'solo calls kubectl-describe {"resource": "pods", "name": "checkout-1"}' in [text for _, text in told]


async def test_an_approval_is_for_a_person_and_the_call_waits(solo: Runtime) -> None:
    """The caller is a model: nothing it can send decides."""
    told: list[str | None] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        told.append(message)

    async with client(solo) as mcp:
        message = task(solo=[{"tool_calls": [HELD]}, {"text": "One pod."}])
        call = asyncio.ensure_future(mcp.call_tool("solo", {"message": message}, progress_callback=note))
        deadline = time.monotonic() + 10
        while not any("waits for the approval of a person" in (text or "") for text in told):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)
        session = solo.client.get("/api/v1/sessions").json()["sessions"][0]["id"]
        busy = await mcp.call_tool("solo", {"message": "approve", "session": session})
        assert (busy.is_error, text(busy)) == (True, "the session has a turn running; wait for its end")
        (asked,) = [event for event in solo.log(session) if event["type"] == "approval.requested"]
        path = f"/api/v1/sessions/{session}/approvals/{asked['callId']}"
        assert solo.client.post(path, json={"decision": "approve"}).status_code == 200
        assert text(await call) == "One pod."


CALLS: list[tuple[str, Any, str]] = [
    ("other", {"message": "x"}, "there is no tool `other`; there is `solo`"),
    ("solo", {}, "message: Field required"),
    ("solo", {"message": ""}, "message: String should have at least 1 character"),
    ("solo", {"message": "x", "model": "y"}, "model: Extra inputs are not permitted"),
    ("solo", {"message": "x", "session": "nope"}, "there is no session `nope`; leave it out to start one"),
]


@pytest.mark.parametrize(("name", "arguments", "message"), CALLS, ids=[str(number) for number in range(len(CALLS))])
async def test_a_wrong_call_is_told_to_its_model(solo: Runtime, name: str, arguments: Any, message: str) -> None:
    async with client(solo) as mcp:
        result = await mcp.call_tool(name, arguments)
    assert (result.is_error, text(result)) == (True, message)


async def test_a_failed_run_is_a_failed_call(solo: Runtime) -> None:
    async with client(solo) as mcp:
        result = await mcp.call_tool("solo", {"message": task(solo=[{"error": 400}])})
    assert result.is_error
    assert text(result).startswith("The model call failed: model `gpt4-config`: HTTP 400")


@MODES
async def test_a_caller_that_leaves_cancels_the_run(solo: Runtime, model: ModelServer, mode: str) -> None:
    before = len(model.requests)
    async with client(solo, mode) as mcp:
        call = asyncio.ensure_future(mcp.call_tool("solo", {"message": task(solo=[{"text": "late", "sleep": 20}])}))
        await asyncio.to_thread(model.wait_for_requests, before + 1)
        call.cancel()
        await asyncio.wait([call])
    session = solo.client.get("/api/v1/sessions").json()["sessions"][0]["id"]
    assert solo.wait_finished(session, 5)[-1]["outcome"] == "cancelled"


async def test_two_callers_are_served_at_once(solo: Runtime) -> None:
    async with client(solo) as one, client(solo, "legacy") as two:
        results = await asyncio.gather(
            *(
                mcp.call_tool("solo", {"message": task(solo=[{"text": name, "sleep": 0.5}])})
                for name, mcp in (("one", one), ("two", two))
            )
        )
    assert [text(result) for result in results] == ["one", "two"]


def test_other_methods_and_origins_are_refused(solo: Runtime) -> None:
    """A server without streams of its own answers GET with 405."""
    assert solo.client.get("/mcp").status_code == 405
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    assert solo.client.post("/mcp", json=body, headers={"Origin": "https://evil.example"}).status_code == 403
    assert solo.client.post("/mcp", content=b"{", headers={"Content-Type": "application/json"}).status_code < 500


async def test_a_process_that_ends_answers_first(tmp_path: Path) -> None:
    """And logs nothing of what it was sent."""
    with ModelServer(lambda _: {"text": "in time", "sleep": 1}) as model:
        with Runtime(compiled(tmp_path / "specs", model.base_url, agent("solo")), tmp_path / "run") as runtime:
            async with client(runtime) as mcp:
                call = asyncio.ensure_future(mcp.call_tool("solo", {"message": "SECRET"}))
                await asyncio.to_thread(model.wait_for_requests, 1)
                runtime.process.send_signal(signal.SIGTERM)
                assert text(await call) == "in time"
            assert runtime.process.wait(10) == 0
            assert [json.loads(line)["message"] for line in runtime.wait_stderr().splitlines()] == ["draining"]


def test_nothing_of_it_is_there_when_it_is_off(tmp_path: Path) -> None:
    """Of A2A neither."""
    config = compiled(tmp_path / "specs", "http://127.0.0.1:9/v1", agent("solo"))
    with Runtime(config, tmp_path / "run", "--interfaces", "openai") as runtime:
        assert runtime.client.post("/mcp", json={}).status_code == 404
        assert runtime.client.post("/a2a", json={}).status_code == 404
        assert runtime.client.get("/.well-known/agent-card.json").status_code == 404
