"""One agent over the real wire: what a run records, how it is followed, stopped and continued."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.edge.kubernetes_api import KubernetesApi
from tests.edge.model_server import ModelServer
from tests.runtime.configs import agent, runtime_config, team, tools
from tests.runtime.configs import model as configs_model
from tests.runtime.process import KEY, Event, Runtime, types
from tests.runtime.puppet import puppet, task
from tests.runtime.surroundings import SilentServer, kubeconfig

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "checkout-1", "namespace": "ai-agents"},
    "status": {"phase": "Running"},
}
GET_PODS = {"name": "kubectl-get", "arguments": {"resource": "pods"}}


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with ModelServer(puppet(), api_key=KEY) as server:
        yield server


@pytest.fixture(scope="module")
def cluster() -> Iterator[KubernetesApi]:
    with KubernetesApi([POD]) as server:
        yield server


@pytest.fixture(scope="module")
def runtime(model: ModelServer, cluster: KubernetesApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    folder = tmp_path_factory.mktemp("runtime")
    config = runtime_config(agent("solo", model.base_url, workbench=tools("get")))
    with Runtime(config, folder, "--cluster", "kubeconfig", KUBECONFIG=kubeconfig(folder, cluster.origin)) as process:
        yield process


def only(events: list[Event], type: str) -> Event:
    """The one event of this type."""
    (found,) = [event for event in events if event["type"] == type]
    return found


def test_a_tool_turn_is_recorded_in_order(runtime: Runtime) -> None:
    """The call, its result and the answer, with numbers that have no gap."""
    session = runtime.new_session()
    runtime.ask(session, task(solo=[{"tool_calls": [GET_PODS]}, {"text": "All pods run."}]))
    events = runtime.log(session)
    assert types(events) == ["message.user", "run.started", "tool.call", "tool.result", "message", "run.finished"]
    assert [event["seq"] for event in events] == [1, 2, 3, 4, 5, 6]
    assert only(events, "tool.call")["arguments"] == {"resource": "pods"}
    assert "checkout-1" in only(events, "tool.result")["content"]
    assert only(events, "message")["content"] == "All pods run."


def test_the_usage_of_a_run_counts_every_model_call(runtime: Runtime, model: ModelServer) -> None:
    """Also of the call that asked for a tool."""
    session = runtime.new_session()
    before = len(model.requests)
    events = runtime.ask(session, task(solo=[{"tool_calls": [GET_PODS]}, {"text": "All pods run."}]))
    asked = [len(json.dumps(request.messages)) // 4 for request in model.requests[before:]]
    assert len(asked) == 2
    assert only(events, "run.finished")["usage"]["promptTokens"] == sum(asked)


def test_text_beside_a_tool_call_is_kept(runtime: Runtime) -> None:
    """What was streamed to the user is in the log too."""
    session = runtime.new_session()
    steps: list[Event] = [{"text": "Let me look.", "tool_calls": [GET_PODS]}, {"text": "All pods run."}]
    events = runtime.ask(session, task(solo=steps))
    streamed = {event["messageId"] for event in events if event["type"] == "message.delta"}
    stored = {event["messageId"]: event["content"] for event in events if event["type"] == "message"}
    assert list(stored.values()) == ["Let me look.", "All pods run."]
    assert streamed <= set(stored)


def test_a_model_error_is_told_and_the_next_message_works(runtime: Runtime) -> None:
    """The failed run leaves no trace in the conversation the model sees."""
    session = runtime.new_session()
    runtime.ask(session, task(solo=[{"text": "First."}]))
    failed = only(runtime.ask(session, task(solo=[{"error": 500, "text": "boom"}])), "run.finished")
    assert failed["outcome"] == "failed"
    assert "boom" in failed["error"]["detail"]
    assert "Traceback" not in json.dumps(failed)
    events = runtime.ask(session, task(solo=[{"text": "Second."}]))
    assert only(events, "message")["content"] == "Second."
    assert only(events, "run.finished")["outcome"] == "completed"


def test_a_wrong_key_never_appears(model: ModelServer, tmp_path: Path) -> None:
    """Neither in events nor in logs, although the provider names it."""
    secret = "sk-canary-of-another-agent-0123456789"

    def refuse(_request: object) -> dict[str, object]:
        return {"error": 401, "text": f"Incorrect API key provided: {secret}."}

    with ModelServer(refuse) as server:
        config = runtime_config(agent("solo", server.base_url))
        with Runtime(config, tmp_path, KAGENT_GPT4_CONFIG_API_KEY=secret) as process:
            finished = only(process.ask(process.new_session(), "hello"), "run.finished")
            assert finished["outcome"] == "failed"
            stored = json.dumps(process.log(process.client.get("/api/v1/sessions").json()["sessions"][0]["id"]))
            process.process.terminate()
            logged = process.wait_stderr()
    assert secret not in stored + logged + json.dumps(finished)
    assert "Traceback" not in logged


def test_a_cancel_during_a_tool_ends_the_run(model: ModelServer, tmp_path: Path) -> None:
    """AutoGen would wait for ever (upstream #7956); the session takes the next message."""
    config = runtime_config(agent("solo", model.base_url, workbench=tools("get", timeout_seconds=60.0)))
    flags = ("--cluster", "kubeconfig")
    with (
        SilentServer() as silent,
        Runtime(config, tmp_path, *flags, KUBECONFIG=kubeconfig(tmp_path, silent.origin)) as p,
    ):
        session = p.new_session()
        p.send(session, task(solo=[{"tool_calls": [GET_PODS]}, {"text": "never"}]))
        assert silent.was_called.wait(10)
        before = time.monotonic()
        assert p.client.post(f"/api/v1/sessions/{session}/cancel").status_code == 202
        finished = p.wait_finished(session)[-1]
        assert finished["outcome"] == "cancelled"
        assert finished["usage"]["promptTokens"] > 0, "what it cost until then"
        assert time.monotonic() - before < 3
        assert p.ask(session, task(solo=[{"text": "here"}]))[-1]["outcome"] == "completed"


def test_a_tool_that_does_not_answer_in_time_is_an_error_the_model_sees(model: ModelServer, tmp_path: Path) -> None:
    """The run goes on."""
    config = runtime_config(agent("solo", model.base_url, workbench=tools("get", timeout_seconds=0.5)))
    flags = ("--cluster", "kubeconfig")
    with (
        SilentServer() as silent,
        Runtime(config, tmp_path, *flags, KUBECONFIG=kubeconfig(tmp_path, silent.origin)) as p,
    ):
        events = p.ask(p.new_session(), task(solo=[{"tool_calls": [GET_PODS]}, {"text": "It does not answer."}]))
    assert only(events, "tool.result")["isError"] is True
    assert only(events, "message")["content"] == "It does not answer."


def test_conversations_at_the_same_time_do_not_disturb_each_other(runtime: Runtime) -> None:
    """Twenty at once over one database: every log is whole."""
    texts = {runtime.new_session(): f"answer {number}" for number in range(20)}
    with ThreadPoolExecutor(20) as pool:
        runs = [pool.submit(runtime.send, session, task(solo=[{"text": text}])) for session, text in texts.items()]
        assert all(run.result()["seq"] == 1 for run in runs)
    for session, text in texts.items():
        events = runtime.wait_finished(session)
        assert only(events, "message")["content"] == text
        assert [event["seq"] for event in events] == [1, 2, 3, 4]


def test_an_agent_that_has_changed_says_that_it_forgot(model: ModelServer, tmp_path: Path) -> None:
    """Another prompt keeps the conversation; another member of the team cannot."""

    def members(*ids: str) -> Event:
        return runtime_config(team("RoundRobinGroupChat", [agent(id, model.base_url) for id in ids], max_turns=1))

    with Runtime(members("one", "two"), tmp_path) as process:
        session = process.new_session()
        process.ask(session, task(one=[{"text": "first"}]))
    reworded = members("one", "two")
    reworded["component"]["config"]["participants"][0]["config"]["description"] = "Somebody"
    with Runtime(reworded, tmp_path) as process:
        events = process.ask(session, task(one=[{"text": "second"}]))
        assert not [event for event in events if event["type"] == "notice"]
        assert "first" in [message["content"] for message in model.requests[-1].messages]
    with Runtime(members("one", "three"), tmp_path) as process:
        events = process.ask(session, task(one=[{"text": "third"}]))
        assert "does not remember" in only(events, "notice")["content"]
        assert events[-1]["outcome"] == "completed"
        assert "first" not in [message["content"] for message in model.requests[-1].messages]


def test_a_nested_team_names_its_speakers_and_starts_again_at_its_first(model: ModelServer, tmp_path: Path) -> None:
    """As the outer team does."""
    inner = team("RoundRobinGroupChat", [agent(id, model.base_url) for id in ("in_a", "in_b")], max_turns=1)
    inner["config"]["name"] = "inner"
    outer = team("RoundRobinGroupChat", [inner, agent("last", model.base_url)], max_turns=2)
    with Runtime(runtime_config(outer), tmp_path) as process:
        session = process.new_session()
        for text in ("one", "two"):
            events = process.ask(session, task(in_a=[{"text": text}], in_b=[{"text": "?"}], last=[{"text": "end"}]))
            selected = [event["agent"] for event in events if event["type"] == "speaker.selected"]
            assert selected == ["inner", "in_a", "last"]
            assert [event["content"] for event in events if event["type"] == "message"] == [text, "end"]


def test_the_calls_of_a_selector_count(tmp_path: Path) -> None:
    """They are in no message, yet they are paid for."""
    with ModelServer(puppet("one")) as server:
        members = [agent(id, server.base_url) for id in ("one", "two")]
        more: Event = {
            "model_client": configs_model(server.base_url),
            "selector_prompt": "{roles} {history} Choose from {participants}.",
            "allow_repeated_speaker": True,
            "max_selector_attempts": 3,
            "max_turns": 1,
        }
        with Runtime(runtime_config(team("SelectorGroupChat", members, **more)), tmp_path) as process:
            events = process.ask(process.new_session(), task(one=[{"text": "done"}]))
            tokens = [len(json.dumps(request.messages)) // 4 for request in server.requests]
    # A call that is not streamed reports its usage too; the Selector's is the first of the two.
    assert len(tokens) == 2
    assert only(events, "run.finished")["usage"]["promptTokens"] == sum(tokens)
