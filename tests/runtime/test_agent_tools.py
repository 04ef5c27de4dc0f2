"""Agents that ask agents: two real processes, one model each, and what happens when the other one fails."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.edge.model_server import ModelRequest, ModelServer
from tests.harness import CASES
from tests.runtime.process import Runtime, runtime_config

CASE = CASES / "build/tool-agent/input"


def _desk(url: str, tool: str = "ask-expert") -> dict[str, Any]:
    config = copy.deepcopy(runtime_config(CASE, "desk"))
    (bench,) = config["component"]["config"]["workbench"]
    for item in bench["config"]["tools"]:
        if item["name"] == tool:
            item["url"] = url
    return config


def _asking(request: ModelRequest) -> dict[str, Any]:
    """Ask once, then repeat what came back."""
    if request.messages[-1]["role"] == "tool":
        return {"text": f"They say: {request.messages[-1]['content']}"}
    return {"tool_calls": [{"name": "ask-expert", "arguments": {"task": "What is 6 times 7?"}}]}


@pytest.fixture
def asking_model() -> Iterator[ModelServer]:
    """The model of the agent that asks."""
    with ModelServer(_asking) as server:
        yield server


def _expert(folder: Path, model: ModelServer) -> Runtime:
    return Runtime(runtime_config(CASE, "expert"), folder / "expert", "--model-base-url", model.base_url)


def _result(events: list[dict[str, Any]]) -> dict[str, Any]:
    (found,) = [event for event in events if event["type"] == "tool.result"]
    return found


def test_the_answer_of_the_other_agent_comes_back(tmp_path: Path, asking_model: ModelServer) -> None:
    """The question is a session over there, which its owner can read."""
    with ModelServer(lambda _: {"text": "It is 42."}) as knowing, _expert(tmp_path, knowing) as expert:
        config = _desk(expert.url)
        with Runtime(config, tmp_path / "desk", "--model-base-url", asking_model.base_url) as desk:
            events = desk.ask(desk.new_session(), "ask the expert")
            assert (_result(events)["content"], _result(events)["isError"]) == ("It is 42.", False)
            assert [e["content"] for e in events if e["type"] == "message"][-1] == "They say: It is 42."
            (session,) = expert.client.get("/api/v1/sessions").json()["sessions"]
            asked = [e for e in expert.log(session["id"]) if e["type"] == "message.user"]
            assert [event["content"] for event in asked] == ["What is 6 times 7?"]


def test_a_cancel_reaches_the_other_agent(tmp_path: Path, asking_model: ModelServer) -> None:
    """Nobody pays for an answer that nobody waits for."""
    with ModelServer(lambda _: {"text": "late", "sleep": 30}) as slow, _expert(tmp_path, slow) as expert:
        config = _desk(expert.url)
        with Runtime(config, tmp_path / "desk", "--model-base-url", asking_model.base_url) as desk:
            session = desk.new_session()
            desk.send(session, "ask the expert")
            slow.wait_for_requests(1)
            started = time.monotonic()
            assert desk.client.post(f"/api/v1/sessions/{session}/cancel").status_code == 202
            assert desk.wait_finished(session)[-1]["outcome"] == "cancelled"
            assert time.monotonic() - started < 3
            (there,) = expert.client.get("/api/v1/sessions").json()["sessions"]
            assert expert.wait_finished(there["id"])[-1]["outcome"] == "cancelled"


@pytest.mark.parametrize("failure", ["absent", "failing"])
def test_a_failure_over_there_is_something_to_act_on(tmp_path: Path, asking_model: ModelServer, failure: str) -> None:
    """The turn goes on with an error as the tool's result."""
    with ModelServer(lambda _: {"error": 400}) as broken, _expert(tmp_path, broken) as expert:
        url = "http://127.0.0.1:9" if failure == "absent" else expert.url
        with Runtime(_desk(url), tmp_path / "desk", "--model-base-url", asking_model.base_url) as desk:
            events = desk.ask(desk.new_session(), "ask the expert")
    result = _result(events)
    wanted = "the agent cannot be reached" if failure == "absent" else "the agent's turn failed"
    assert (result["isError"], wanted in result["content"]) == (True, True), result
    assert events[-1]["outcome"] == "completed"


def test_a_circle_ends(tmp_path: Path) -> None:
    """One that asks itself, as a URL can: after five rounds there is no sixth."""
    with ModelServer(_asking) as model:
        config = _desk("http://127.0.0.1:1")
        with Runtime(config, tmp_path / "first", "--model-base-url", model.base_url) as probe:
            port = int(probe.url.rpartition(":")[2])
        (bench,) = config["component"]["config"]["workbench"]
        bench["config"]["tools"][0]["url"] = f"http://127.0.0.1:{port}"
        with Runtime(config, tmp_path / "second", "--port", str(port), "--model-base-url", model.base_url) as desk:
            events = desk.ask(desk.new_session(), "ask the expert")
            assert "agents have asked each other 5 times" in _result(events)["content"]
            assert len(desk.client.get("/api/v1/sessions").json()["sessions"]) == 6
