"""Memory, contexts and output schemas of compiled agents, by what goes over the wire to the model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.edge.kubernetes_api import KubernetesApi
from tests.edge.model_server import ModelRequest, ModelServer
from tests.runtime.process import KEY, Event, Runtime, types
from tests.runtime.specs import agent, compiled, team
from tests.runtime.surroundings import kubeconfig

JSON = dict[str, Any]
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "checkout-1", "namespace": "default"}}
GET_PODS = {"name": "kubectl-get", "arguments": {"resource": "pods"}}
TOOLS = "tools: [{name: kubectl-get}]"
SCHEMA = """outputSchema:
  type: object
  properties:
    severity: {type: integer}
    state: {type: string, enum: [open, closed]}
"""
GOOD = '{"severity": 1, "state": "open"}'


@pytest.fixture(scope="module")
def cluster() -> Iterator[KubernetesApi]:
    with KubernetesApi([POD]) as server:
        yield server


class Scripted:
    """A model that answers the steps in turn, whoever asks."""

    def __init__(self, *steps: JSON) -> None:
        self._steps = list(steps)

    def __call__(self, request: ModelRequest) -> JSON:
        assert self._steps, "asked more often than scripted"
        return self._steps.pop(0)


def started(folder: Path, config: JSON, cluster: KubernetesApi) -> Runtime:
    """The runtime, with tools that read the cluster."""
    folder.mkdir(parents=True)
    return Runtime(
        config,
        folder,
        "--cluster",
        "kubeconfig",
        KUBECONFIG=kubeconfig(folder, cluster.origin),
        POD_NAMESPACE="default",
    )


def only(events: list[Event], type: str) -> Event:
    """The one event of this type."""
    (found,) = [event for event in events if event["type"] == type]
    return found


def roles(request: ModelRequest) -> list[str]:
    """The roles of the messages that were sent."""
    return [message["role"] for message in request.messages]


def test_a_memory_is_told_once_and_survives_a_change(tmp_path: Path) -> None:
    """AutoGen's own adds a copy in every turn; a conversation goes on with the facts of the newest spec."""
    with ModelServer(Scripted(*[{"text": f"Answer {n}."} for n in range(3)]), api_key=KEY) as model:
        facts = 'memory: [{type: List, contents: ["Red is bad."]}, {type: List, contents: ["Blue is good."]}]'
        config = compiled(tmp_path / "specs", model.base_url, agent("solo", facts))
        with Runtime(config, tmp_path / "state") as runtime:
            session = runtime.new_session()
            runtime.ask(session, "First?")
            runtime.ask(session, "Second?")
        told = compiled(tmp_path / "specs", model.base_url, agent("solo", facts.replace("bad", "worse")))
        with Runtime(told, tmp_path / "state") as runtime:
            runtime.ask(session, "Third?")
        last = model.requests[-1]
        assert [roles(r) for r in model.requests[:2]] == [
            ["system"] * 2 + ["user"],
            ["system"] * 2 + ["user", "assistant", "user"],
        ]
        assert model.requests[1].messages[1]["content"] == "What you know:\n- Red is bad.\n- Blue is good."
        assert last.messages[1]["content"] == "What you know:\n- Red is worse.\n- Blue is good."
        assert roles(last).count("system") == 2
        assert [m["content"] for m in last.messages if m["role"] == "user"] == ["First?", "Second?", "Third?"]


def test_a_model_with_one_system_message_gets_one(tmp_path: Path) -> None:
    """The prompt and the facts in it; AutoGen's own memory makes such a client fail."""
    with ModelServer(Scripted({"text": "Yes."}, {"text": "Yes."}), api_key=KEY) as model:
        document = agent("solo", 'memory: [{type: List, contents: ["Red is bad."]}]')
        config = compiled(tmp_path / "specs", model.base_url, document, model_info="multipleSystemMessages: false")
        with Runtime(config, tmp_path / "state") as runtime:
            session = runtime.new_session()
            runtime.ask(session, "First?")
            assert only(runtime.ask(session, "Second?"), "run.finished")["outcome"] == "completed"
        assert roles(model.requests[-1]) == ["system", "user", "assistant", "user"]
        assert model.requests[-1].system == "You are solo.\nWhat you know:\n- Red is bad."


def tool_rounds(number: int) -> list[JSON]:
    """As many rounds of one call each, and an answer."""
    return [*[{"tool_calls": [GET_PODS]} for _ in range(number)], {"text": "Done."}]


def assert_well_formed(request: ModelRequest) -> None:
    """Every result follows its call, as OpenAI demands; and the task is there."""
    open_calls: set[str] = set()
    for message in request.messages:
        if message["role"] == "tool":
            assert message["tool_call_id"] in open_calls
            open_calls.discard(message["tool_call_id"])
        else:
            assert not open_calls, "a call without its result"
            open_calls = {call["id"] for call in message.get("tool_calls") or ()}
    assert "Look." in [message["content"] for message in request.messages if message["role"] == "user"]


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_a_buffered_context_keeps_the_task_and_no_orphans(tmp_path: Path, cluster: KubernetesApi, size: int) -> None:
    """At every size: a window of one is the last result, which brings its call."""
    with ModelServer(Scripted({"text": "Hello."}, *tool_rounds(4)), api_key=KEY) as model:
        document = agent("solo", f"{TOOLS}\ncontext: {{type: Buffered, messages: {size}}}")
        with started(tmp_path / "state", compiled(tmp_path / "specs", model.base_url, document), cluster) as runtime:
            session = runtime.new_session()
            runtime.ask(session, "Who are you?")
            assert only(runtime.ask(session, "Look."), "run.finished")["outcome"] == "completed"
        for request in model.requests[1:]:
            assert_well_formed(request)
        sent = model.requests[-1].messages
        assert [m["content"] for m in sent if m["role"] == "user"] == ["Who are you?", "Look."]
        assert len(sent) <= 3 + size + 1
        assert sent[-1]["role"] == "tool"


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (2, 2), (1, 3)])
def test_head_and_tail_say_what_is_left_out(tmp_path: Path, cluster: KubernetesApi, size: tuple[int, int]) -> None:
    """Neither end may cut a call from its result."""
    with ModelServer(Scripted(*tool_rounds(5)), api_key=KEY) as model:
        document = agent("solo", f"{TOOLS}\ncontext: {{type: HeadAndTail, head: {size[0]}, tail: {size[1]}}}")
        with started(tmp_path / "state", compiled(tmp_path / "specs", model.base_url, document), cluster) as runtime:
            assert only(runtime.ask(runtime.new_session(), "Look."), "run.finished")["outcome"] == "completed"
        for request in model.requests:
            assert_well_formed(request)
        sent = model.requests[-1].messages
        notes = [m["content"] for m in sent if m["role"] == "user" and "left out" in m["content"]]
        assert notes == [f"({11 - (len(sent) - 2)} messages are left out here.)"]


def test_an_answer_is_json_of_the_schema(tmp_path: Path) -> None:
    """Without tools the first call asks for it; the event carries text and data."""
    with ModelServer(Scripted({"text": GOOD}), api_key=KEY) as model:
        with Runtime(
            compiled(tmp_path / "specs", model.base_url, agent("solo", SCHEMA)), tmp_path / "state"
        ) as runtime:
            events = runtime.ask(runtime.new_session(), "How bad is it?")
        (request,) = model.requests
        schema = request.body["response_format"]["json_schema"]
        assert schema["strict"] is True
        assert schema["schema"]["required"] == ["severity", "state"]
        assert request.system.startswith("You are solo.\n\nYour final answer is one JSON value")
        assert only(events, "message")["content"] == GOOD
        assert only(events, "message")["output"] == {"severity": 1, "state": "open"}


def test_an_answer_that_does_not_fit_is_asked_for_again(tmp_path: Path) -> None:
    """Once, and what is wrong is said; the usage counts both calls."""
    with ModelServer(Scripted({"text": '{"severity": "high", "state": "odd"}'}, {"text": GOOD}), api_key=KEY) as model:
        with Runtime(
            compiled(tmp_path / "specs", model.base_url, agent("solo", SCHEMA)), tmp_path / "state"
        ) as runtime:
            events = runtime.ask(runtime.new_session(), "How bad is it?")
        first, second = model.requests
        assert (
            '$.severity must be of type integer, not a string; $.state must be one of ["open", "closed"]'
            in (second.messages[-1]["content"])
        )
        assert types(events) == ["message.user", "run.started", "message", "run.finished"]
        assert only(events, "message")["output"]["severity"] == 1
        total = sum(len(json.dumps(r.messages)) // 4 for r in (first, second))
        assert only(events, "run.finished")["usage"]["promptTokens"] == total


def test_two_wrong_answers_fail_the_run(tmp_path: Path) -> None:
    """With the reason, and nothing said to the user that is not of the schema."""
    with ModelServer(Scripted({"text": "Bad."}, {"text": '{"severity": 1}'}), api_key=KEY) as model:
        with Runtime(
            compiled(tmp_path / "specs", model.base_url, agent("solo", SCHEMA)), tmp_path / "state"
        ) as runtime:
            events = runtime.ask(runtime.new_session(), "How bad is it?")
    error = only(events, "run.finished")["error"]
    assert error["title"] == "The answer has the wrong form"
    assert "$.state is missing" in error["detail"]
    assert not [event for event in events if event["type"] in ("message", "message.delta")]


def test_tools_and_a_schema_work_together(tmp_path: Path, cluster: KubernetesApi) -> None:
    """The call that offers tools has no `response_format`, which would keep some servers from calling them."""
    steps: list[JSON] = [
        {"tool_calls": [GET_PODS]},
        {"text": "Severity one, and open."},
        {"text": f"```json\n{GOOD}\n```"},
    ]
    with ModelServer(Scripted(*steps), api_key=KEY) as model:
        config = compiled(tmp_path / "specs", model.base_url, agent("solo", f"{TOOLS}\n{SCHEMA}"))
        with started(tmp_path / "state", config, cluster) as runtime:
            events = runtime.ask(runtime.new_session(), "How bad is it?")
        assert types(events)[2:] == ["tool.call", "tool.result", "message", "run.finished"]
        assert only(events, "message")["content"] == GOOD
        assert ["response_format" in request.body for request in model.requests] == [False, False, True]
        assert ["tools" in request.body for request in model.requests] == [True, True, False]


def test_the_last_round_of_tools_still_ends_in_json(tmp_path: Path, cluster: KubernetesApi) -> None:
    """At the limit of rounds AutoGen asks for a reflection; its answer is of the schema too."""
    limits = "limits: {toolIterations: 1}"
    with ModelServer(Scripted({"tool_calls": [GET_PODS]}, {"text": GOOD}), api_key=KEY) as model:
        config = compiled(tmp_path / "specs", model.base_url, agent("solo", f"{TOOLS}\n{limits}\n{SCHEMA}"))
        with started(tmp_path / "state", config, cluster) as runtime:
            events = runtime.ask(runtime.new_session(), "How bad is it?")
        assert only(events, "message")["output"] == {"severity": 1, "state": "open"}
        assert "tool_choice" not in model.requests[-1].body or model.requests[-1].body.get("tools")


@pytest.mark.parametrize("pattern", ["RoundRobin", "Selector"])
def test_a_member_of_a_team_answers_with_json(tmp_path: Path, pattern: str) -> None:
    """AutoGen's own structured messages are not registered in a team (upstream #6795)."""

    def answer(request: ModelRequest) -> JSON:
        if request.system.startswith("You are reporter."):
            return {"text": GOOD}
        return {"text": "I agree."} if request.system.startswith("You are critic.") else {"text": next(chosen)}

    chosen = iter(["reporter", "critic"])
    with ModelServer(answer, api_key=KEY) as model:
        documents = [agent("reporter", SCHEMA), agent("critic"), team(pattern, "reporter", "critic")]
        with Runtime(compiled(tmp_path / "specs", model.base_url, *documents), tmp_path / "state") as runtime:
            session = runtime.new_session()
            events = runtime.ask(session, "How bad is it?")
            assert only(events, "run.finished")["outcome"] == "completed"
            said = [(event["agent"], event.get("output")) for event in events if event["type"] == "message"]
            assert said == [("reporter", {"severity": 1, "state": "open"}), ("critic", None)]
            assert only(runtime.ask(session, "Still?") if pattern == "RoundRobin" else events, "run.finished")


def test_a_model_without_structured_output_is_told_in_words(tmp_path: Path) -> None:
    """Its server would refuse the `response_format`."""
    with ModelServer(Scripted({"text": "Hm."}, {"text": GOOD}), api_key=KEY) as model:
        info = "structuredOutput: false, jsonOutput: false"
        config = compiled(tmp_path / "specs", model.base_url, agent("solo", SCHEMA), model_info=info)
        with Runtime(config, tmp_path / "state") as runtime:
            assert only(runtime.ask(runtime.new_session(), "Well?"), "message")["content"] == GOOD
        assert not [request for request in model.requests if "response_format" in request.body]
