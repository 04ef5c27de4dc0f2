"""Agents that ask agents: two real processes, one model each, and what happens when the other one fails."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from kagent_runtime.journal import UNKNOWN
from tests.edge.a2a_server import A2AServer
from tests.edge.model_server import ModelRequest, ModelServer
from tests.edge.otlp_collector import OtlpCollector
from tests.harness import CASES
from tests.runtime.process import Runtime, runtime_config
from tests.runtime.specs import agent, compiled

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


def _expert(folder: Path, model: ModelServer, *flags: str) -> Runtime:
    return Runtime(runtime_config(CASE, "expert"), folder / "expert", "--model-base-url", model.base_url, *flags)


def _sessions(runtime: Runtime) -> list[str]:
    return [session["id"] for session in runtime.client.get("/api/v1/sessions").json()["sessions"]]


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
            slow.wait_for_requests(1, timeout=60)
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
    wanted = "the agent cannot be reached" if failure == "absent" else "the agent's task failed"
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


def _asking_panel(request: ModelRequest) -> dict[str, Any]:
    if request.messages[-1]["role"] == "tool":
        return {"text": "Thanks."}
    return {"tool_calls": [{"name": "ask-panel", "arguments": {"task": "Well?"}}]}


def test_the_answer_of_a_team_is_its_last_message(tmp_path: Path) -> None:
    """What its members said before is its own business."""
    answers = iter(["Perhaps.", "It is 42."])
    with ModelServer(lambda _: {"text": next(answers)}) as knowing, ModelServer(_asking_panel) as asking:
        there = Runtime(runtime_config(CASE, "panel"), tmp_path / "panel", "--model-base-url", knowing.base_url)
        with there as panel:
            config = _desk(panel.url, "ask-panel")
            with Runtime(config, tmp_path / "desk", "--model-base-url", asking.base_url) as desk:
                result = _result(desk.ask(desk.new_session(), "ask the panel"))
    assert (result["content"], result["isError"]) == ("It is 42.", False)


def test_an_approval_over_there_is_told_and_not_waited_for(tmp_path: Path, asking_model: ModelServer) -> None:
    """Its person is not the one of this conversation; the turn over there ends, and the call was not made."""
    held = {"tool_calls": [{"name": "kubectl-get", "arguments": {"resource": "pods"}}]}
    with ModelServer(lambda _: held) as knowing:
        tools = "tools: [{name: kubectl-get, requireApproval: true}]"
        config = compiled(tmp_path / "specs", knowing.base_url, agent("expert", tools))
        with Runtime(config, tmp_path / "expert", "--cluster", "sample") as expert:
            with Runtime(_desk(expert.url), tmp_path / "desk", "--model-base-url", asking_model.base_url) as desk:
                result = _result(desk.ask(desk.new_session(), "ask the expert"))
            (there,) = _sessions(expert)
            log = expert.wait_finished(there)
    wanted = 'the agent may go on only when a person approves its call of `kubectl-get` with {"resource": "pods"}.'
    assert (result["isError"], result["content"].startswith(wanted)) == (True, True), result
    assert log[-1]["outcome"] == "cancelled"
    assert [event for event in log if event["type"] == "tool.result" and not event["isError"]] == []


def test_a_question_whose_asker_was_killed_is_not_put_twice(tmp_path: Path, asking_model: ModelServer) -> None:
    """The other agent knows it: its answer is taken, of one that works on and of one that has ended."""
    with ModelServer(lambda _: {"text": "It is 42.", "sleep": 6}) as slow, _expert(tmp_path, slow) as expert:
        config = _desk(expert.url)
        flags = ("--model-base-url", asking_model.base_url)
        for number, is_ended in enumerate((False, True), 1):
            with Runtime(config, tmp_path / "desk", *flags) as desk:
                session = desk.new_session()
                desk.send(session, "ask the expert")
                slow.wait_for_requests(number, timeout=60)
                desk.kill()
            if is_ended:
                for there in _sessions(expert):
                    expert.wait_finished(there, timeout=60)
            with Runtime(config, tmp_path / "desk", *flags) as desk:
                events = desk.wait_finished(session, timeout=60)
            result = _result(events)
            assert (result["content"], result["isError"], is_ended) == ("It is 42.", False, is_ended)
            assert events[-1]["outcome"] == "completed"
            assert (len(slow.requests), len(_sessions(expert))) == (number, number)


@pytest.mark.parametrize("loss", ["forgotten", "away"])
def test_a_question_that_nobody_remembers_stays_unknown(tmp_path: Path, asking_model: ModelServer, loss: str) -> None:
    """It may have been carried out before its trace was lost, so it is not put again."""
    with ModelServer(lambda _: {"text": "It is 42.", "sleep": 20}) as slow:
        with _expert(tmp_path, slow) as expert:
            config, port = _desk(expert.url), expert.url.rpartition(":")[2]
            with Runtime(config, tmp_path / "desk", "--model-base-url", asking_model.base_url) as desk:
                session = desk.new_session()
                desk.send(session, "ask the expert")
                slow.wait_for_requests(1, timeout=60)
                desk.kill()
            expert.kill()
        fresh = _expert(tmp_path / "other", slow, "--port", port if loss == "forgotten" else "0")
        with fresh, Runtime(config, tmp_path / "desk", "--model-base-url", asking_model.base_url) as desk:
            result = _result(desk.wait_finished(session, timeout=120))
            assert (result["isError"], result["content"]) == (True, UNKNOWN)
            assert _sessions(fresh) == []
        assert len(slow.requests) == 1


def test_an_agent_whose_pod_is_replaced_while_it_works(tmp_path: Path, asking_model: ModelServer) -> None:
    """It goes on with its turn, and is asked for the task until that is over."""
    with ModelServer(lambda _: {"text": "It is 42.", "sleep": 3}) as slow, ExitStack() as open_:
        expert = open_.enter_context(_expert(tmp_path, slow))
        config, port = _desk(expert.url), expert.url.rpartition(":")[2]
        desk = open_.enter_context(Runtime(config, tmp_path / "desk", "--model-base-url", asking_model.base_url))
        session = desk.new_session()
        desk.send(session, "ask the expert")
        slow.wait_for_requests(1, timeout=60)
        expert.kill()
        again = open_.enter_context(_expert(tmp_path, slow, "--port", port))
        result = _result(desk.wait_finished(session, timeout=90))
        assert (result["content"], result["isError"]) == ("It is 42.", False)
        assert len(_sessions(again)) == 1


def test_the_other_agent_s_work_is_part_of_the_trace(tmp_path: Path) -> None:
    """The trace of the turn goes along with every request; nothing else of ours does, to an agent of somebody else."""

    def asking(request: ModelRequest) -> dict[str, Any]:
        if request.messages[-1]["role"] == "tool":
            return {"text": str(request.messages[-1]["content"])}
        return {"tool_calls": [{"name": "ask-vendor", "arguments": {"task": "It is 42."}}]}

    with ModelServer(asking) as model, OtlpCollector() as collector, A2AServer() as vendor:
        config = _desk(vendor.url, "ask-vendor")
        told = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.origin, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        with Runtime(config, tmp_path / "desk", "--model-base-url", model.base_url, **told) as desk:
            assert _result(desk.ask(desk.new_session(), "ask the vendor"))["content"] == "It is 42."
            spans = collector.wait_for_span("invoke_agent desk")
    (tool,) = [span for span in spans if span.name == "execute_tool ask-vendor"]
    assert len(vendor.asked) == 2
    for asked in vendor.asked:
        _, trace, parent, _ = asked.headers["traceparent"].split("-")
        assert (trace, parent) == (tool.trace_id, tool.span_id)
        ours = {"x-kagent-depth", "traceparent", "a2a-version", "a2a-extensions", "cache-control", "content-type"}
        plain = {"host", "accept", "accept-encoding", "connection", "content-length", "user-agent"}
        assert set(asked.headers) <= ours | plain
