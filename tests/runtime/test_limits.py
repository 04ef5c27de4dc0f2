"""Limits of a run: tokens, seconds and tool calls, counted exactly, whoever of a team uses them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kagent_runtime.config import ConfigError, check_config
from tests.edge.kubernetes_api import KubernetesApi
from tests.edge.model_server import ModelRequest, ModelServer
from tests.runtime.process import KEY, Event, Runtime, types
from tests.runtime.puppet import puppet, task
from tests.runtime.specs import agent, compiled, team
from tests.runtime.surroundings import kubeconfig

JSON = dict[str, Any]
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "checkout-1", "namespace": "default"}}
GET_PODS = {"name": "kubectl-get", "arguments": {"resource": "pods"}}
TOOLS = "tools: [{name: kubectl-get}]"


@pytest.fixture(scope="module")
def cluster() -> Iterator[KubernetesApi]:
    with KubernetesApi([POD]) as server:
        yield server


def started(folder: Path, config: JSON, cluster: KubernetesApi, *flags: str) -> Runtime:
    """The runtime, with tools that read the cluster."""
    folder.mkdir(parents=True)
    path = kubeconfig(folder, cluster.origin)
    return Runtime(config, folder, "--cluster", "kubeconfig", *flags, KUBECONFIG=path, POD_NAMESPACE="default")


def end_of(events: list[Event]) -> Event:
    """The last event, which ends the run."""
    assert events[-1]["type"] == "run.finished"
    return events[-1]


def used(request: ModelRequest, answer: int) -> int:
    """The tokens of a call as the server counts them."""
    return len(json.dumps(request.messages)) // 4 + answer


def forever(_: ModelRequest) -> JSON:
    """A model that never comes to an end."""
    return {"tool_calls": [GET_PODS]}


def test_no_call_starts_once_the_tokens_are_used(tmp_path: Path, cluster: KubernetesApi) -> None:
    """Neither of the model nor of a tool; the usage is that of the calls made, and the state is the one before."""
    answers: list[JSON] = [{"text": "Hello."}, {"tool_calls": [GET_PODS]}, {"tool_calls": [GET_PODS]}, {"text": "Hm."}]
    steps = iter(answers)
    with ModelServer(lambda _: next(steps), api_key=KEY) as model:
        document = agent("solo", f"{TOOLS}\nlimits: {{totalTokens: 300}}")
        with started(tmp_path / "state", compiled(tmp_path / "specs", model.base_url, document), cluster) as runtime:
            session = runtime.new_session()
            assert end_of(runtime.ask(session, "Who are you?"))["outcome"] == "completed"
            events = runtime.ask(session, "Look. " + "x" * 400)
            before = len(model.requests)
            calls = len(cluster.requests)
            last = runtime.ask(session, "And?")
        end = end_of(events)
        assert (end["outcome"], end["stopReason"], end["error"]) == ("limited", "token limit of 300 reached", None)
        spent = end["usage"]["promptTokens"] + end["usage"]["completionTokens"]
        assert spent >= 300
        results = [event for event in events if event["type"] == "tool.result"]
        assert results[-1]["content"] == "not run: token limit of 300 reached"
        assert len(results) - 1 == calls
        assert before == 1 + len(results)
        texts = [message["content"] for message in model.requests[-1].messages if message["role"] == "user"]
        assert texts == ["Who are you?", "And?"]
        assert end_of(last)["outcome"] == "completed"


def test_the_call_that_uses_the_last_tokens_may_be_the_answer(tmp_path: Path) -> None:
    """An answer that is there is given, whatever it cost."""
    with ModelServer(lambda _: {"text": "All is well."}, api_key=KEY) as model:
        config = compiled(tmp_path / "specs", model.base_url, agent("solo", "limits: {totalTokens: 1}"))
        with Runtime(config, tmp_path / "state") as runtime:
            events = runtime.ask(runtime.new_session(), "How is it?")
    assert types(events) == ["message.user", "run.started", "message", "run.finished"]
    assert end_of(events)["outcome"] == "completed"


@pytest.mark.parametrize("pattern", ["RoundRobin", "Selector"])
def test_the_tokens_of_a_team_are_those_of_all_its_calls(tmp_path: Path, pattern: str) -> None:
    """A Selector's own too, which are in no message."""
    with ModelServer(
        lambda request: {"text": "two" if "select" in str(request.messages) else "Hm."}, api_key=KEY
    ) as model:
        more = "maxTurns: 500\nlimits: {totalTokens: 2000}"
        documents = [agent("one"), agent("two"), team(pattern, "one", "two", more=more)]
        with Runtime(compiled(tmp_path / "specs", model.base_url, *documents), tmp_path / "state") as runtime:
            end = end_of(runtime.ask(runtime.new_session(), "Talk."))
        assert (end["outcome"], end["stopReason"]) == ("limited", "token limit of 2000 reached")
        counts = [used(request, 1) for request in model.requests]
        assert sum(counts) == end["usage"]["promptTokens"] + end["usage"]["completionTokens"]
        assert sum(counts[:-1]) < 2000 <= sum(counts)


def test_tool_calls_are_counted_one_by_one(tmp_path: Path, cluster: KubernetesApi) -> None:
    """Of five at once, three run; then the run ends, before the model is asked again."""
    with ModelServer(lambda _: {"tool_calls": [GET_PODS] * 5}, api_key=KEY) as model:
        document = agent("solo", f"{TOOLS}\nlimits: {{toolCalls: 3}}")
        before = len(cluster.requests)
        with started(tmp_path / "state", compiled(tmp_path / "specs", model.base_url, document), cluster) as runtime:
            events = runtime.ask(runtime.new_session(), "Look.")
        assert len(cluster.requests) - before == 3
        assert len(model.requests) == 1
    assert [event["isError"] for event in events if event["type"] == "tool.result"] == [False] * 3 + [True] * 2
    assert (end_of(events)["outcome"], end_of(events)["stopReason"]) == ("limited", "tool call limit of 3 reached")


def test_an_agent_that_ends_by_itself_within_the_limit_is_complete(tmp_path: Path, cluster: KubernetesApi) -> None:
    """The last call that is allowed is allowed."""
    steps: Iterator[JSON] = iter([{"tool_calls": [GET_PODS] * 2}, {"text": "Done."}])
    with ModelServer(lambda _: next(steps), api_key=KEY) as model:
        document = agent("solo", f"{TOOLS}\nlimits: {{toolCalls: 2}}")
        with started(tmp_path / "state", compiled(tmp_path / "specs", model.base_url, document), cluster) as runtime:
            assert end_of(runtime.ask(runtime.new_session(), "Look."))["outcome"] == "completed"


def test_members_share_the_tool_calls_of_their_team(tmp_path: Path, cluster: KubernetesApi) -> None:
    """The limit is the run's, not each agent's."""
    with ModelServer(puppet(), api_key=KEY) as model:
        more = "maxTurns: 10\nlimits: {toolCalls: 3}"
        documents = [agent("one", TOOLS), agent("two", TOOLS), team("RoundRobin", "one", "two", more=more)]
        steps: list[JSON] = [{"tool_calls": [GET_PODS, GET_PODS]}, {"text": "Seen."}]
        with started(tmp_path / "state", compiled(tmp_path / "specs", model.base_url, *documents), cluster) as runtime:
            events = runtime.ask(runtime.new_session(), task(one=steps, two=steps))
    assert [event["isError"] for event in events if event["type"] == "tool.result"] == [False, False, False, True]
    assert end_of(events)["stopReason"] == "tool call limit of 3 reached"


@pytest.mark.parametrize("is_team", [False, True])
def test_the_clock_ends_a_run(tmp_path: Path, is_team: bool) -> None:
    """In the middle of a model call, which is hung up on; the session goes on afterwards."""
    steps: Iterator[JSON] = iter([{"text": "Too late.", "sleep": 30}, {"text": "In time."}, {"text": "In time."}])
    with ModelServer(lambda _: next(steps), api_key=KEY) as model:
        limits = "limits: {seconds: 0.5}"
        documents = [agent("solo", "" if is_team else limits)]
        documents += [team("RoundRobin", "solo", more=f"maxTurns: 1\n{limits}")] if is_team else []
        with Runtime(compiled(tmp_path / "specs", model.base_url, *documents), tmp_path / "state") as runtime:
            session = runtime.new_session()
            start = time.monotonic()
            end = end_of(runtime.ask(session, "How is it?"))
            assert 0.5 <= time.monotonic() - start < 4
            assert (end["outcome"], end["stopReason"]) == ("limited", "time limit of 0.5 s reached")
            assert end_of(runtime.ask(session, "And now?"))["outcome"] == "completed"
            time.sleep(0.7)
            assert end_of(runtime.log(session))["outcome"] == "completed"
        assert model.requests[0].hung_up


def test_a_cancel_before_the_clock_is_a_cancel(tmp_path: Path) -> None:
    """The first reason holds."""
    with ModelServer(lambda _: {"text": "Late.", "sleep": 30}, api_key=KEY) as model:
        config = compiled(tmp_path / "specs", model.base_url, agent("solo", "limits: {seconds: 20}"))
        with Runtime(config, tmp_path / "state") as runtime:
            session = runtime.new_session()
            runtime.send(session, "How is it?")
            model.wait_for_requests(1)
            runtime.client.post(f"/api/v1/sessions/{session}/cancel")
            assert end_of(runtime.wait_finished(session))["outcome"] == "cancelled"


def test_the_replay_model_has_limits_too(tmp_path: Path, cluster: KubernetesApi) -> None:
    """It counts words; a demonstration ends as the real one does."""
    document = agent("solo", f"{TOOLS}\nlimits: {{totalTokens: 1}}")
    config = compiled(tmp_path / "specs", "http://127.0.0.1:9/v1", document)
    with started(tmp_path / "state", config, cluster, "--model", "replay") as runtime:
        end = end_of(runtime.ask(runtime.new_session(), "Why does checkout fail?"))
        assert runtime.client.get("/api/v1/agent").json()["limits"] == {"totalTokens": 1}
    assert (end["outcome"], end["stopReason"]) == ("limited", "token limit of 1 reached")


@pytest.mark.parametrize("limits", [{"totalTokens": 0}, {"tokens": 5}, {"seconds": -1.0}, {"toolCalls": "3"}])
def test_limits_that_are_none_are_refused(tmp_path: Path, limits: JSON) -> None:
    """A limit that does not hold is worse than none."""
    config = compiled(tmp_path / "specs", "http://127.0.0.1:9/v1", agent("solo")) | {"limits": limits}
    with pytest.raises(ConfigError, match=r"\$\.limits"):
        check_config(config, "runtime.json")
