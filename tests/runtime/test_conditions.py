"""Every termination condition over HTTP, in a real process, against a model server that speaks OpenAI's protocol."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.edge.model_server import ModelRequest, ModelServer
from tests.runtime.process import Event, Runtime, runtime_config, types

SPECS = """
apiVersion: kagent.dev/v1alpha1
kind: ModelConfig
metadata: {name: m}
spec: {model: gpt-4o, baseUrl: "http://model.example.com/v1", timeoutSeconds: 20, maxRetries: 0}
---
apiVersion: kagent.dev/v1alpha1
kind: Agent
metadata: {name: first}
spec:
  description: Speaks first
  systemMessage: You are FIRST.
  modelConfigRef: {name: m}
  tools: TOOLS
  handoffs: [{name: second}, {name: user}]
---
apiVersion: kagent.dev/v1alpha1
kind: Agent
metadata: {name: second}
spec: {description: Speaks second, systemMessage: You are SECOND., modelConfigRef: {name: m}, handoffs: [{name: first}]}
---
apiVersion: kagent.dev/v1alpha1
kind: AgentTeam
metadata: {name: hand-over}
spec:
  teamType: Swarm
  agents: [{name: first}, {name: second}]
  terminationCondition: {anyOf: [{type: Handoff, target: user}, HANDOVER]}
---
apiVersion: kagent.dev/v1alpha1
kind: AgentTeam
metadata: {name: pair}
spec:
  teamType: RoundRobin
  agents: [{name: first}, {name: second}]
  terminationCondition: {type: TextMention, text: DONE, sources: [second]}
---
apiVersion: kagent.dev/v1alpha1
kind: AgentTeam
metadata: {name: team}
spec:
  teamType: TYPE
  agents: AGENTS
  maxTurns: 6
  terminationCondition: CONDITION
"""
QUESTION = "three, please"


def _specs(
    folder: Path,
    condition: str,
    *,
    pattern: str = "RoundRobin",
    agents: str = "[{name: first}, {name: second}]",
    tools: str = "[]",
    handover: str = "{type: External}",
    name: str = "team",
) -> dict[str, Any]:
    specs = folder / "specs"
    specs.mkdir(parents=True, exist_ok=True)
    text = SPECS.replace("TYPE", pattern).replace("CONDITION", condition).replace("AGENTS", agents)
    (specs / "team.yaml").write_text(text.replace("TOOLS", tools).replace("HANDOVER", handover))
    return runtime_config(specs, name)


def _run(config: dict[str, Any], model: ModelServer, folder: Path, *flags: str) -> Runtime:
    return Runtime(config, folder / "run", *flags, KAGENT_MODEL_BASE_URL=model.base_url)


def _says(system: str, *texts: str) -> dict[str, Any]:
    return {"system": system, "steps": [{"text": text} for text in texts]}


def _calls(name: str, **arguments: Any) -> dict[str, Any]:
    return {"text": "", "tool_calls": [{"name": name, "arguments": arguments}]}


def _said(events: list[Event]) -> list[tuple[str, str]]:
    return [(event["agent"], event["content"]) for event in events if event["type"] == "message"]


def _ending(events: list[Event]) -> tuple[str, str]:
    assert events[-1]["type"] == "run.finished"
    return events[-1]["outcome"], events[-1]["stopReason"]


TALK = [
    ("first", "one"),
    ("second", "two"),
    ("first", "three"),
    ("second", "four"),
    ("first", "five"),
    ("second", "six"),
]


def _talk(request: ModelRequest) -> dict[str, Any]:
    """The next line of the agent that is asked, counted since the user's newest message."""
    name = "first" if "FIRST" in request.system else "second"
    lines = [text for speaker, text in TALK if speaker == name]
    start = max(index for index, message in enumerate(request.messages) if message["content"] == QUESTION)
    return {"text": lines[sum(message["role"] == "assistant" for message in request.messages[start:])]}


@pytest.mark.parametrize(
    ("condition", "messages", "reason"),
    [
        ("{type: MaxMessage, maxMessages: 3}", 3, "Maximum number of messages 3 reached"),
        ("{type: SourceMatch, sources: [second]}", 2, "'second' answered"),
        ("{type: TextMessage}", 1, "Text message received from 'first'"),
        ("{type: TextMessage, source: second}", 2, "Text message received from 'second'"),
        ("{type: TextMention, text: three}", 3, "Text 'three' mentioned"),
        ("{type: TokenUsage, maxCompletionTokens: 2}", 2, "Token usage limit reached: 2 completion tokens of 2"),
        ("{type: Timeout, seconds: 3600}", 6, "Maximum number of turns 6 reached."),
        (
            "{allOf: [{type: MaxMessage, maxMessages: 2}, {type: SourceMatch, sources: [first]}]}",
            2,
            "'first' answered, Maximum number of messages 2 reached",
        ),
    ],
)
def test_a_condition_ends_the_run_with_its_reason(tmp_path: Path, condition: str, messages: int, reason: str) -> None:
    """The user's own message says `three`, and is neither counted nor heard; a second run counts anew."""
    with ModelServer(_talk) as model, _run(_specs(tmp_path, condition), model, tmp_path) as runtime:
        session = runtime.new_session()
        for _ in range(2):
            events = runtime.ask(session, QUESTION)
            assert _said(events) == TALK[:messages]
            assert _ending(events) == ("completed", reason)


def test_token_usage_counts_what_the_selector_asks(tmp_path: Path) -> None:
    """Every answer has one token, and the second speaker needs no question: AutoGen would count two of three."""
    script = [{"selector": ["first", "second", "first"]}, _says("FIRST", "one", "three"), _says("SECOND", "two")]
    config = _specs(tmp_path, "{type: TokenUsage, maxCompletionTokens: 3}", pattern="Selector")
    with ModelServer(script) as model, _run(config, model, tmp_path) as runtime:
        events = runtime.ask(runtime.new_session(), "go")
    assert _said(events) == [("first", "one"), ("second", "two")]
    assert _ending(events) == ("completed", "Token usage limit reached: 3 completion tokens of 3")
    assert events[-1]["usage"]["completionTokens"] == 3


def test_a_timeout_cuts_a_turn_off(tmp_path: Path) -> None:
    """AutoGen would wait for the answer. What was said before the run is kept, the cut-off turn is not."""
    slow = {"text": "two", "sleep": 15}
    script = [_says("FIRST", "zero", "one"), {"system": "SECOND", "steps": [{"text": "DONE"}, slow]}]
    either = "{anyOf: [{type: TextMention, text: DONE}, {type: Timeout, seconds: 2}]}"
    with ModelServer(script) as model, _run(_specs(tmp_path, either), model, tmp_path) as runtime:
        session = runtime.new_session()
        assert _ending(runtime.ask(session, "go")) == ("completed", "Text 'DONE' mentioned")
        start = time.monotonic()
        events = runtime.ask(session, "again")
        assert time.monotonic() - start < 8
        assert _said(events) == [("first", "one")]
        assert types(events)[-2:] == ["notice", "run.finished"]
        assert _ending(events) == ("completed", "Timeout of 2 seconds reached")
        events = runtime.ask(session, "and again")
        prompt = [message["content"] for message in model.requests[-1].messages]
    assert _said(events)[0] == ("first", "one")
    assert "go" in prompt
    assert "again" not in prompt


def test_a_timeout_in_an_all_of_waits(tmp_path: Path) -> None:
    """It does not end the team alone, so it cuts nothing off."""
    script = [{"system": "FIRST", "steps": [{"text": "one", "sleep": 2}]}, _says("SECOND", "two")]
    both = "{allOf: [{type: Timeout, seconds: 1}, {type: SourceMatch, sources: [second]}]}"
    with ModelServer(script) as model, _run(_specs(tmp_path, both), model, tmp_path) as runtime:
        events = runtime.ask(runtime.new_session(), "go")
    assert _said(events) == [("first", "one"), ("second", "two")]
    assert _ending(events) == ("completed", "Timeout of 1 seconds reached, 'second' answered")


def test_a_handoff_to_the_user_pauses_and_the_answer_goes_to_who_asked(tmp_path: Path) -> None:
    """Not to the first agent: it was the second that asked."""
    script = [
        {"system": "FIRST", "steps": [_calls("transfer_to_second"), {"text": "never"}]},
        {"system": "SECOND", "steps": [_calls("transfer_to_user"), {"text": "thanks, DONE"}]},
    ]
    config = _specs(tmp_path, "{type: External}", handover="{type: TextMention, text: DONE}", name="hand-over")
    for handoff in config["component"]["config"]["participants"][1]["config"]["handoffs"]:
        assert handoff["target"] == "first"
    config["component"]["config"]["participants"][1]["config"]["handoffs"].append(_user_handoff(config))
    with ModelServer(script) as model, _run(config, model, tmp_path) as runtime:
        session = runtime.new_session()
        events = runtime.ask(session, "restart checkout")
        assert [(e["agent"], e["target"]) for e in events if e["type"] == "handoff"] == [
            ("first", "second"),
            ("second", "user"),
        ]
        assert _ending(events) == ("completed", "Handoff to user from second")
        events = runtime.ask(session, "in production")
        assert _said(events) == [("second", "thanks, DONE")]
        assert _ending(events) == ("completed", "Text 'DONE' mentioned")
        assert "in production" in [message["content"] for message in model.requests[-1].messages]


def _user_handoff(config: dict[str, Any]) -> dict[str, Any]:
    first = config["component"]["config"]["participants"][0]["config"]
    return next(handoff for handoff in first["handoffs"] if handoff["target"] == "user")


def test_a_handoff_to_a_member_stops_before_it_and_the_next_message_goes_there(tmp_path: Path) -> None:
    """The user's message comes as a handoff too, which must not fire the condition again."""
    script = [{"system": "FIRST", "steps": [_calls("transfer_to_second")]}, _says("SECOND", "on it", "never")]
    config = _specs(tmp_path, "{type: External}", handover="{type: Handoff, target: second}", name="hand-over")
    config["component"]["config"]["max_turns"] = 1
    with ModelServer(script) as model, _run(config, model, tmp_path) as runtime:
        session = runtime.new_session()
        assert _ending(runtime.ask(session, "go")) == ("completed", "Handoff to second from first")
        events = runtime.ask(session, "yes, do it")
    assert _said(events) == [("second", "on it")]
    assert _ending(events) == ("completed", "Maximum number of turns 1 reached.")


def test_a_function_call_ends_the_run_after_its_turn(tmp_path: Path) -> None:
    """A tool by the name the model sees, and a handoff."""
    tool = {"system": "FIRST", "steps": [_calls("kubectl-get", resource="pods"), {"text": "looked"}]}
    condition = "{type: FunctionCall, functionName: kubectl-get}"
    config = _specs(tmp_path / "a", condition, tools="[{name: kubectl-get}]")
    with ModelServer([tool]) as model, _run(config, model, tmp_path / "a", "--cluster", "sample") as runtime:
        events = runtime.ask(runtime.new_session(), "go")
    assert _said(events) == [("first", "looked")]
    assert _ending(events) == ("completed", "Function 'kubectl-get' was executed.")
    handover = "{type: FunctionCall, functionName: transfer_to_second}"
    config = _specs(tmp_path / "b", "{type: External}", handover=handover, name="hand-over")
    script = [{"system": "FIRST", "steps": [_calls("transfer_to_second")]}]
    with ModelServer(script) as model, _run(config, model, tmp_path / "b") as runtime:
        events = runtime.ask(runtime.new_session(), "go")
    assert _ending(events) == ("completed", "Function 'transfer_to_second' was executed.")


def test_a_stop_message_is_the_end_of_a_nested_team(tmp_path: Path) -> None:
    """The nested team says DONE in its second turn; without that it would be cut off, and the outer one go on."""
    config = _specs(tmp_path, "{type: StopMessage}", agents="[{name: pair, kind: AgentTeam}, {name: first}]")
    script = [_says("FIRST", "one", "never"), _says("SECOND", "DONE")]
    with ModelServer(script) as model, _run(config, model, tmp_path) as runtime:
        events = runtime.ask(runtime.new_session(), "go")
    assert _said(events) == [("first", "one"), ("second", "DONE")]
    assert _ending(events) == ("completed", "pair has ended: Text 'DONE' mentioned")


@pytest.mark.parametrize("condition", ["{type: External}", "{type: MaxMessage, maxMessages: 6}"])
def test_a_stop_over_http_ends_the_run_after_the_turn(tmp_path: Path, condition: str) -> None:
    """With the External condition and without: the turn is finished and kept, unlike after a cancel."""
    script = [{"system": "FIRST", "steps": [{"text": "one", "sleep": 2}, {"text": "after"}]}, _says("SECOND", "two")]
    with ModelServer(script) as model, _run(_specs(tmp_path, condition), model, tmp_path) as runtime:
        session = runtime.new_session()
        assert runtime.client.post(f"/api/v1/sessions/{session}/stop").status_code == 409
        runtime.send(session, "go")
        model.wait_for_requests(1)
        answer = runtime.client.post(f"/api/v1/sessions/{session}/stop")
        assert (answer.status_code, answer.json()) == (202, {"status": "stopping"})
        events = runtime.wait_finished(session)
        assert _said(events) == [("first", "one")]
        assert _ending(events) == ("completed", "External termination requested")
        runtime.send(session, "on")
        requests = model.wait_for_requests(2)
        assert [m["content"] for m in requests[-1].messages[1:]] == ["go", "one", "on"]
        runtime.client.post(f"/api/v1/sessions/{session}/cancel")
        assert _ending(runtime.wait_finished(session))[0] == "cancelled"


def test_an_external_in_an_all_of_waits_for_the_other(tmp_path: Path) -> None:
    """The spec says what a stop means."""
    script = [{"system": "FIRST", "steps": [{"text": "one", "sleep": 1}]}, _says("SECOND", "two")]
    both = "{allOf: [{type: External}, {type: SourceMatch, sources: [second]}]}"
    with ModelServer(script) as model, _run(_specs(tmp_path, both), model, tmp_path) as runtime:
        session = runtime.new_session()
        runtime.send(session, "go")
        model.wait_for_requests(1)
        runtime.client.post(f"/api/v1/sessions/{session}/stop")
        events = runtime.wait_finished(session)
    assert _said(events) == [("first", "one"), ("second", "two")]
    assert _ending(events) == ("completed", "External termination requested, 'second' answered")
