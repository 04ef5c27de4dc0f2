"""Tool calls that a person must approve: they wait, and run with exactly what was approved, or not at all."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from kagent_runtime.config import ConfigError, check_config
from tests.edge.kubernetes_api import KubernetesApi
from tests.edge.model_server import ModelServer
from tests.runtime.process import KEY, Event, Runtime, read_sse, types
from tests.runtime.puppet import puppet, task
from tests.runtime.specs import agent, compiled, team
from tests.runtime.surroundings import kubeconfig

JSON = dict[str, Any]
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "checkout-1", "namespace": "default"}}
APPROVED = "tools: [{name: kubectl-get, requireApproval: true}, {name: kubectl-describe}]"
FREE = {"name": "kubectl-describe", "arguments": {"resource": "pods", "name": "checkout-1"}}


def get(name: str | None = None) -> JSON:
    """A call that needs an approval."""
    return {"name": "kubectl-get", "arguments": {"resource": "pods"} | ({"name": name} if name else {})}


@pytest.fixture(scope="module")
def cluster() -> Iterator[KubernetesApi]:
    with KubernetesApi([POD]) as server:
        yield server


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with ModelServer(puppet(), api_key=KEY) as server:
        yield server


def started(folder: Path, config: JSON, cluster: KubernetesApi) -> Runtime:
    """The runtime, with tools that read the cluster."""
    folder.mkdir(parents=True, exist_ok=True)
    path = kubeconfig(folder, cluster.origin)
    return Runtime(config, folder, "--cluster", "kubeconfig", KUBECONFIG=path, POD_NAMESPACE="default")


@pytest.fixture(scope="module")
def runtime(model: ModelServer, cluster: KubernetesApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    folder = tmp_path_factory.mktemp("approvals")
    config = compiled(folder / "specs", model.base_url, agent("solo", APPROVED))
    assert config["agents"][0]["requiresApproval"] == ["kubectl-get"]
    assert config["approvals"] == {"expirySeconds": 900}
    with started(folder / "state", config, cluster) as process:
        yield process


def wait_for(runtime: Runtime, session: str, type: str, number: int = 1) -> list[Event]:
    """The events of this type, once there are as many."""
    deadline = time.monotonic() + 15
    while len(found := [event for event in runtime.log(session) if event["type"] == type]) < number:
        assert time.monotonic() < deadline, runtime.log(session)
        time.sleep(0.02)
    return found


def decide(runtime: Runtime, session: str, call_id: str, decision: str, **more: Any) -> httpx.Response:
    """A person's decision."""
    path = f"/api/v1/sessions/{session}/approvals/{call_id}"
    return runtime.client.post(path, json={"decision": decision} | more)


def status(runtime: Runtime, session: str) -> str:
    """The session's status."""
    return str(runtime.client.get(f"/api/v1/sessions/{session}").json()["status"])


def only(events: list[Event], type: str) -> Event:
    """The one event of this type."""
    (found,) = [event for event in events if event["type"] == type]
    return found


def test_an_approved_call_runs(runtime: Runtime, cluster: KubernetesApi) -> None:
    """Not a moment before; the session says that it waits."""
    session = runtime.new_session()
    before = len(cluster.requests)
    runtime.send(session, task(solo=[{"tool_calls": [get()]}, {"text": "Seen."}]))
    (asked,) = wait_for(runtime, session, "approval.requested")
    assert (asked["agent"], asked["name"], asked["arguments"]) == ("solo", "kubectl-get", {"resource": "pods"})
    expires = datetime.fromisoformat(asked["expiresAt"])
    assert 890 < (expires - datetime.now(UTC)).total_seconds() <= 900
    assert status(runtime, session) == "waiting"
    listed = runtime.client.get("/api/v1/sessions").json()["sessions"]
    assert {item["id"]: item["status"] for item in listed}[session] == "waiting"
    assert len(cluster.requests) == before
    busy = runtime.client.post(f"/api/v1/sessions/{session}/messages", json={"content": "Hurry."})
    assert busy.status_code == 409
    answer = decide(runtime, session, asked["callId"], "approve")
    assert (answer.status_code, answer.json()) == (200, {"callId": asked["callId"], "decision": "approve"})
    events = runtime.wait_finished(session)
    assert types(events)[2:] == [
        "tool.call",
        "approval.requested",
        "approval.decided",
        "tool.result",
        "message",
        "run.finished",
    ]
    decided = only(events, "approval.decided")
    assert (decided["decision"], decided["by"], decided["reason"]) == ("approve", "person", None)
    assert "checkout-1" in only(events, "tool.result")["content"]
    assert status(runtime, session) == "idle"
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


def test_a_denied_call_does_not_run_and_the_model_hears_why(
    runtime: Runtime, model: ModelServer, cluster: KubernetesApi
) -> None:
    """As the result of the call, which is an error; the agent goes on."""
    session = runtime.new_session()
    before = len(cluster.requests)
    runtime.send(session, task(solo=[{"tool_calls": [get()]}, {"text": "Then not."}]))
    (asked,) = wait_for(runtime, session, "approval.requested")
    assert decide(runtime, session, asked["callId"], "deny", reason="It is Friday.").status_code == 200
    events = runtime.wait_finished(session)
    result = only(events, "tool.result")
    assert result["isError"]
    assert result["content"].startswith("a person denied this call: It is Friday.")
    assert model.requests[-1].messages[-1]["content"] == result["content"]
    assert len(cluster.requests) == before
    assert only(events, "run.finished")["outcome"] == "completed"
    assert only(events, "approval.decided")["reason"] == "It is Friday."


def test_other_tools_do_not_wait(runtime: Runtime) -> None:
    """The flag is one tool's."""
    events = runtime.ask(runtime.new_session(), task(solo=[{"tool_calls": [FREE]}, {"text": "Seen."}]))
    assert types(events)[2:] == ["tool.call", "tool.result", "message", "run.finished"]


def test_calls_made_at_once_are_decided_one_by_one(runtime: Runtime, cluster: KubernetesApi) -> None:
    """In any order; what is free has run already."""
    session = runtime.new_session()
    before = len(cluster.requests)
    calls = [get("checkout-1"), get("checkout-2"), FREE]
    runtime.send(session, task(solo=[{"tool_calls": calls}, {"text": "Seen."}]))
    asked = {
        event["arguments"]["name"]: event["callId"] for event in wait_for(runtime, session, "approval.requested", 2)
    }
    assert decide(runtime, session, asked["checkout-2"], "deny").status_code == 200
    wait_for(runtime, session, "approval.decided")
    assert status(runtime, session) == "waiting"
    assert not [r for r in cluster.requests[before:] if r.path.endswith(("checkout-2",))]
    assert decide(runtime, session, asked["checkout-1"], "approve").status_code == 200
    events = runtime.wait_finished(session)
    results = {event["callId"]: event["isError"] for event in events if event["type"] == "tool.result"}
    assert (results[asked["checkout-1"]], results[asked["checkout-2"]]) == (False, True)


def test_a_decision_meets_no_other_call(runtime: Runtime) -> None:
    """Twice, late, of an unknown call, of another session, or of something that is no decision."""
    session, other = runtime.new_session(), runtime.new_session()
    runtime.send(session, task(solo=[{"tool_calls": [get()]}, {"text": "Seen."}]))
    (asked,) = wait_for(runtime, session, "approval.requested")
    id = asked["callId"]
    assert decide(runtime, other, id, "approve").status_code == 404
    assert decide(runtime, session, "nonsense", "approve").status_code == 404
    assert decide(runtime, "nonsense", id, "approve").status_code == 404
    for body in (
        {"decision": "maybe"},
        {"decision": "approve", "arguments": {}},
        {},
        {"decision": "deny", "reason": ""},
    ):
        path = f"/api/v1/sessions/{session}/approvals/{id}"
        assert runtime.client.post(path, json=body).status_code == 422
    assert status(runtime, session) == "waiting"
    assert decide(runtime, session, id, "deny").status_code == 200
    assert decide(runtime, session, id, "approve").status_code == 409
    events = runtime.wait_finished(session)
    assert only(events, "approval.decided")["decision"] == "deny"
    assert decide(runtime, session, id, "approve").status_code == 409


def test_a_model_that_repeats_its_ids_gets_no_free_call(
    tmp_path: Path, model: ModelServer, cluster: KubernetesApi
) -> None:
    """Some servers number the calls of every answer from zero: a second click must not approve the next call."""
    config = compiled(tmp_path / "specs", model.base_url, agent("solo", APPROVED))
    with started(tmp_path / "state", config, cluster) as runtime:
        session = runtime.new_session()
        calls = [get(name) | {"id": "call_0"} for name in "abc"]
        runtime.send(session, task(solo=[{"tool_calls": calls[:1]}, {"tool_calls": calls[1:2]}, {"text": "."}]))
        (first,) = wait_for(runtime, session, "approval.requested")
        decide(runtime, session, first["callId"], "approve")
        second = wait_for(runtime, session, "approval.requested", 2)[1]
        assert (first["callId"], second["callId"]) == ("call_0", "call_0-2")
        assert decide(runtime, session, "call_0", "approve").status_code == 409
        assert status(runtime, session) == "waiting"
        decide(runtime, session, "call_0-2", "deny")
        runtime.wait_finished(session)
        runtime.send(session, task(solo=[{"tool_calls": calls[2:]}, {"text": "."}]))
        assert wait_for(runtime, session, "approval.requested", 3)[2]["callId"] == "call_0-3"
        decide(runtime, session, "call_0-3", "deny")
        runtime.wait_finished(session)


def test_two_calls_of_one_id_at_once_are_two_questions(
    tmp_path: Path, model: ModelServer, cluster: KubernetesApi
) -> None:
    """Neither waits for the other's announcement, and each runs with its own arguments."""
    documents = [agent("solo", APPROVED), team("RoundRobin", "solo")]
    with started(tmp_path / "state", compiled(tmp_path / "specs", model.base_url, *documents), cluster) as runtime:
        session = runtime.new_session()
        calls = [get(name) | {"id": "call_0"} for name in "ab"]
        start = time.monotonic()
        runtime.send(session, task(solo=[{"tool_calls": calls}, {"text": "."}, {"text": "."}]))
        asked = wait_for(runtime, session, "approval.requested", 2)
        assert time.monotonic() - start < 4
        assert {(e["callId"], e["arguments"]["name"]) for e in asked} == {("call_0", "a"), ("call_0-2", "b")}
        decide(runtime, session, "call_0", "deny")
        decide(runtime, session, "call_0-2", "approve")
        wait_for(runtime, session, "approval.decided", 2)
        runtime.client.post(f"/api/v1/sessions/{session}/cancel")
        runtime.wait_finished(session)


@pytest.mark.parametrize("is_team", [False, True])
def test_a_cancel_ends_the_waiting(
    tmp_path: Path, model: ModelServer, cluster: KubernetesApi, *, is_team: bool
) -> None:
    """At once, with the decision in the log before the end of the run; the call never runs."""
    documents = [agent("solo", APPROVED), *([team("RoundRobin", "solo")] if is_team else [])]
    before = len(cluster.requests)
    with started(tmp_path / "state", compiled(tmp_path / "specs", model.base_url, *documents), cluster) as runtime:
        session = runtime.new_session()
        runtime.send(session, task(solo=[{"tool_calls": [get(), get("b")]}, {"text": "Seen."}, {"text": "Seen."}]))
        asked = wait_for(runtime, session, "approval.requested", 2)
        start = time.monotonic()
        assert runtime.client.post(f"/api/v1/sessions/{session}/cancel").status_code == 202
        events = runtime.wait_finished(session)
        assert time.monotonic() - start < 3
        assert events[-1]["outcome"] == "cancelled"
        assert [(e["decision"], e["by"]) for e in events if e["type"] == "approval.decided"] == [("deny", "cancel")] * 2
        assert decide(runtime, session, asked[0]["callId"], "approve").status_code == 409
        assert len(cluster.requests) == before
        time.sleep(0.3)
        assert runtime.log(session) == events


def test_a_call_in_a_team_is_announced_before_it_is_asked_for(
    tmp_path: Path, model: ModelServer, cluster: KubernetesApi
) -> None:
    """A team reports through a queue; the card needs the call it belongs to."""
    documents = [agent("solo", APPROVED), agent("two"), team("RoundRobin", "solo", "two")]
    with started(tmp_path / "state", compiled(tmp_path / "specs", model.base_url, *documents), cluster) as runtime:
        session = runtime.new_session()
        runtime.send(session, task(solo=[{"tool_calls": [get()]}, {"text": "Seen."}], two=[{"text": "Good."}]))
        (asked,) = wait_for(runtime, session, "approval.requested")
        decide(runtime, session, asked["callId"], "approve")
        told = types(runtime.wait_finished(session))
        assert told.index("tool.call") < told.index("approval.requested") < told.index("tool.result")


def test_nobody_decides_in_time(tmp_path: Path, model: ModelServer, cluster: KubernetesApi) -> None:
    """That is a no."""
    config = compiled(tmp_path / "specs", model.base_url, agent("solo", APPROVED))
    config["approvals"]["expirySeconds"] = 0.3
    before = len(cluster.requests)
    with started(tmp_path / "state", config, cluster) as runtime:
        events = runtime.ask(runtime.new_session(), task(solo=[{"tool_calls": [get()]}, {"text": "Pity."}]))
    assert (only(events, "approval.decided")["decision"], only(events, "approval.decided")["by"]) == ("deny", "expiry")
    assert only(events, "tool.result")["content"] == "the call was not approved: nobody decided within 0.3 s"
    assert only(events, "run.finished")["outcome"] == "completed"
    assert len(cluster.requests) == before


def test_a_client_that_comes_back_meets_the_same_question(runtime: Runtime) -> None:
    """The stream is cut while the call waits; the new one replays it, and then goes on live."""
    session = runtime.new_session()
    path = f"/api/v1/sessions/{session}/events"
    headers = {"Accept": "text/event-stream"}
    runtime.send(session, task(solo=[{"tool_calls": [get()]}, {"text": "Seen."}]))
    with runtime.client.stream("GET", path, headers=headers) as stream:
        first = next(event for event in read_sse(stream) if event["type"] == "approval.requested")
    with runtime.client.stream("GET", path, headers=headers | {"Last-Event-ID": str(first["seq"] - 1)}) as stream:
        events = read_sse(stream)
        assert next(events) == first
        other = httpx.Client(base_url=runtime.url, timeout=10)
        deciding = threading.Timer(
            0.1,
            lambda: other.post(f"/api/v1/sessions/{session}/approvals/{first['callId']}", json={"decision": "approve"}),
        )
        deciding.start()
        rest = []
        for event in events:
            rest.append(event["type"])
            if event["type"] == "run.finished":
                break
        deciding.join()
        other.close()
    assert [type for type in rest if type != "message.delta"] == [
        "approval.decided",
        "tool.result",
        "message",
        "run.finished",
    ]


def test_the_clock_of_the_run_goes_on_while_it_waits(
    tmp_path: Path, model: ModelServer, cluster: KubernetesApi
) -> None:
    """`seconds` is wall clock."""
    config = compiled(tmp_path / "specs", model.base_url, agent("solo", f"{APPROVED}\nlimits: {{seconds: 0.8}}"))
    with started(tmp_path / "state", config, cluster) as runtime:
        events = runtime.ask(runtime.new_session(), task(solo=[{"tool_calls": [get()]}, {"text": "Seen."}]))
    assert only(events, "approval.decided")["by"] == "cancel"
    assert only(events, "run.finished")["stopReason"] == "time limit of 0.8 s reached"


def test_a_denied_call_does_not_count(tmp_path: Path, model: ModelServer, cluster: KubernetesApi) -> None:
    """Calls that ran do."""
    config = compiled(tmp_path / "specs", model.base_url, agent("solo", f"{APPROVED}\nlimits: {{toolCalls: 1}}"))
    with started(tmp_path / "state", config, cluster) as runtime:
        session = runtime.new_session()
        runtime.send(session, task(solo=[{"tool_calls": [get()]}, {"tool_calls": [FREE]}, {"text": "Seen."}]))
        (asked,) = wait_for(runtime, session, "approval.requested")
        decide(runtime, session, asked["callId"], "deny")
        assert runtime.wait_finished(session)[-1]["outcome"] == "completed"


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_question_outlives_the_process(
    tmp_path: Path, model: ModelServer, cluster: KubernetesApi, end: signal.Signals
) -> None:
    """The next one asks nothing again, neither the person nor the model, and makes exactly the approved call."""
    config = compiled(tmp_path / "specs", model.base_url, agent("solo", APPROVED))
    before, asked_model = len(cluster.requests), len(model.requests)
    with started(tmp_path / "state", config, cluster) as runtime:
        session = runtime.new_session()
        runtime.send(session, task(solo=[{"tool_calls": [get("a"), get("b")]}, {"text": "Seen."}]))
        asked = wait_for(runtime, session, "approval.requested", 2)
        decide(runtime, session, asked[1]["callId"], "deny", reason="Not b.")
        runtime.process.send_signal(end)
        runtime.process.wait(10)
    with started(tmp_path / "state", config, cluster) as runtime:
        assert status(runtime, session) == "waiting"
        assert runtime.client.post(f"/api/v1/sessions/{session}/messages", json={"content": "x"}).status_code == 409
        assert decide(runtime, session, asked[1]["callId"], "approve").status_code == 409
        assert len(cluster.requests) == before
        assert decide(runtime, session, asked[0]["callId"], "approve").status_code == 200
        events = runtime.wait_finished(session)
    assert types(events)[-1] == "run.finished"
    assert events[-1]["outcome"] == "completed"
    assert wait_types(events) == {"tool.call": 2, "approval.requested": 2, "approval.decided": 2, "tool.result": 2}
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert len(cluster.requests) == before + 1
    assert len(model.requests) == asked_model + 2
    results = {event["callId"]: event["content"] for event in events if event["type"] == "tool.result"}
    assert results[asked[1]["callId"]].startswith("a person denied this call: Not b.")


def wait_types(events: list[Event]) -> dict[str, int]:
    """How often each event of a call is in the log."""
    told = [event["type"] for event in events]
    return {type: told.count(type) for type in ("tool.call", "approval.requested", "approval.decided", "tool.result")}


def test_a_question_expires_while_no_process_runs(tmp_path: Path, model: ModelServer, cluster: KubernetesApi) -> None:
    """Nobody decided in time is a no, whoever was there to ask."""
    config = compiled(tmp_path / "specs", model.base_url, agent("solo", APPROVED))
    config["approvals"]["expirySeconds"] = 1
    before = len(cluster.requests)
    with started(tmp_path / "state", config, cluster) as runtime:
        session = runtime.new_session()
        runtime.send(session, task(solo=[{"tool_calls": [get()]}, {"text": "Pity."}]))
        (asked,) = wait_for(runtime, session, "approval.requested")
        runtime.kill()
    time.sleep(1)
    with started(tmp_path / "state", config, cluster) as runtime:
        assert decide(runtime, session, asked["callId"], "approve").status_code == 409
        events = runtime.wait_finished(session)
    assert only(events, "approval.decided")["by"] == "expiry"
    assert only(events, "run.finished")["outcome"] == "completed"
    assert len(cluster.requests) == before


def test_a_name_that_guards_nothing_is_refused(tmp_path: Path) -> None:
    """At the start: a tool under another name would run unasked."""
    config = compiled(tmp_path / "specs", "http://127.0.0.1:9/v1", agent("solo", APPROVED))
    config["agents"][0]["requiresApproval"] = ["kubectl-apply"]
    with pytest.raises(ConfigError, match="no tool `kubectl-apply`"):
        check_config(config, "runtime.json")
    config["agents"][0]["requiresApproval"] = ["kubectl-get"]
    del config["approvals"]
    with pytest.raises(ConfigError, match="needs `approvals`"):
        check_config(config, "runtime.json")
