"""Agents and teams over HTTP, in a real process, against a model server that speaks OpenAI's protocol."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.edge.model_server import ModelServer
from tests.harness import CASES, EXAMPLES
from tests.runtime.process import KEY, Event, Runtime, read_sse, runtime_config, types

JSON = dict[str, Any]
TEAM = """
apiVersion: kagent.dev/v1alpha1
kind: ModelConfig
metadata: {name: gpt4-config}
spec: {model: gpt-4o, apiKeySecretRef: {name: openai-api-key, key: api-key}, timeoutSeconds: 5, maxRetries: 2}
---
apiVersion: kagent.dev/v1alpha1
kind: Agent
metadata: {name: first-agent}
spec: {description: Speaks first, systemMessage: You are FIRST., modelConfigRef: {name: gpt4-config}}
---
apiVersion: kagent.dev/v1alpha1
kind: Agent
metadata: {name: second-agent}
spec: {description: Speaks second, systemMessage: You are SECOND., modelConfigRef: {name: gpt4-config}}
---
apiVersion: kagent.dev/v1alpha1
kind: AgentTeam
metadata: {name: team}
spec:
  teamType: TYPE
  agents: [{name: first-agent}, {name: second-agent}]
  terminationCondition: CONDITION
"""
SELECTOR = "  selector: {allowRepeatedSpeaker: true}\n"
MENTION = '{type: TextMention, text: "RESOLVED"}'


def _team(tmp_path: Path, pattern: str, condition: str = MENTION) -> dict[str, Any]:
    specs = tmp_path / "specs"
    specs.mkdir(parents=True, exist_ok=True)
    text = TEAM.replace("TYPE", pattern).replace("CONDITION", condition)
    (specs / "team.yaml").write_text(text + (SELECTOR if pattern == "Selector" else ""))
    return runtime_config(specs)


def _run(config: dict[str, Any], model: ModelServer, tmp_path: Path, *flags: str, **environment: str) -> Runtime:
    return Runtime(config, tmp_path / "run", *flags, KAGENT_MODEL_BASE_URL=model.base_url, **environment)


def _says(system: str, *texts: str) -> dict[str, Any]:
    return {"system": system, "steps": [{"text": text} for text in texts]}


def _messages(events: list[Event]) -> list[tuple[str, str]]:
    return [(event["agent"], event["content"]) for event in events if event["type"] == "message"]


def test_a_round_robin_runs_to_its_condition(tmp_path: Path) -> None:
    """In the order of the list; the user's own RESOLVED does not end it."""
    script = [_says("FIRST", "one", "three"), _says("SECOND", "two", "RESOLVED")]
    with ModelServer(script) as model, _run(_team(tmp_path, "RoundRobin"), model, tmp_path) as runtime:
        events = runtime.ask(runtime.new_session(), "is it RESOLVED?")
    assert _messages(events) == [
        ("first_agent", "one"),
        ("second_agent", "two"),
        ("first_agent", "three"),
        ("second_agent", "RESOLVED"),
    ]
    assert types(events) == ["message.user", "run.started", *["speaker.selected", "message"] * 4, "run.finished"]
    assert events[-1]["outcome"] == "completed"
    assert "RESOLVED" in events[-1]["stopReason"]
    assert [event["seq"] for event in events if "seq" in event] == list(range(1, 12))


def test_a_round_robin_starts_every_task_at_the_first(tmp_path: Path) -> None:
    """AutoGen would go on with the next speaker."""
    config = _team(tmp_path, "RoundRobin", "{type: MaxMessage, maxMessages: 1}")
    script = [_says("FIRST", "a", "b", "c"), _says("SECOND", "x")]
    with ModelServer(script) as model, _run(config, model, tmp_path) as runtime:
        session = runtime.new_session()
        assert _messages(runtime.ask(session, "1")) == [("first_agent", "a")]
        assert _messages(runtime.ask(session, "2")) == [("first_agent", "b")]


def test_a_selector_is_told_whom_to_choose(tmp_path: Path) -> None:
    """The selector's model names the speaker; its prompt has the members and the conversation."""
    script = [{"selector": ["second_agent", "first_agent"]}, _says("FIRST", "RESOLVED"), _says("SECOND", "looking")]
    with ModelServer(script) as model, _run(_team(tmp_path, "Selector"), model, tmp_path) as runtime:
        events = runtime.ask(runtime.new_session(), "help")
        prompts = [request.body["messages"][-1]["content"] for request in model.requests]
    assert _messages(events) == [("second_agent", "looking"), ("first_agent", "RESOLVED")]
    assert [e["agent"] for e in events if e["type"] == "speaker.selected"] == ["second_agent", "first_agent"]
    chosen = [text for text in prompts if "select the next role" in text]
    assert len(chosen) == 2
    assert "first_agent" in chosen[0]
    assert "looking" in chosen[1]


def _swarm_script() -> list[dict[str, Any]]:
    return [
        {
            "system": "You diagnose",
            "steps": [{"text": "", "tool_calls": [{"name": "transfer_to_remediation_agent", "arguments": {}}]}] * 4,
        },
        {
            "system": "You propose",
            "steps": [{"text": "", "tool_calls": [{"name": "transfer_to_communication_agent", "arguments": {}}]}] * 4,
        },
        _says("You write the status", "All is well. RESOLVED", "Again. RESOLVED"),
    ]


def test_a_swarm_hands_over_to_its_end_and_starts_again_at_the_first(tmp_path: Path) -> None:
    """The example team, twice: the second task is for the first agent, although the last one spoke last."""
    config = runtime_config(EXAMPLES / "incident-response")
    with ModelServer(_swarm_script()) as model, _run(config, model, tmp_path) as runtime:
        session = runtime.new_session()
        for _ in range(2):
            events = runtime.ask(session, "checkout is down")
            assert [(e["agent"], e["target"]) for e in events if e["type"] == "handoff"] == [
                ("diagnostics_agent", "remediation_agent"),
                ("remediation_agent", "communication_agent"),
            ]
            assert events[-1]["outcome"] == "completed", events[-1]
            assert not [e for e in events if e["type"] in ("tool.call", "tool.result")], "handoffs are not tools"


def test_anyof_and_allof_stop_as_they_say(tmp_path: Path) -> None:
    """allOf waits for both, anyOf for either."""
    both = "{allOf: [{type: MaxMessage, maxMessages: 2}, {type: TextMention, text: DONE}]}"
    either = "{anyOf: [{type: MaxMessage, maxMessages: 2}, {type: TextMention, text: DONE}]}"
    script = [_says("FIRST", "DONE", "a", "b"), _says("SECOND", "c", "d", "e")]
    with ModelServer(script) as model:
        with _run(_team(tmp_path / "a", "RoundRobin", both), model, tmp_path / "a") as runtime:
            assert len(_messages(runtime.ask(runtime.new_session(), "go"))) == 2
        with _run(_team(tmp_path / "b", "RoundRobin", either), model, tmp_path / "b") as runtime:
            assert len(_messages(runtime.ask(runtime.new_session(), "go"))) == 1


def test_a_condition_hears_the_agents_of_a_nested_team(tmp_path: Path) -> None:
    """A nested team has no voice of its own: its agents speak for it."""
    config = runtime_config(CASES / "build" / "nested-teams" / "input", "outer")
    script = [_says("You are A", "not yet", "DONE", "never"), _says("You are B", "b", "never")]
    with ModelServer(script) as model, _run(config, model, tmp_path) as runtime:
        events = runtime.ask(runtime.new_session(), "go")
    assert _messages(events)[-1] == ("a", "DONE")
    assert events[-1]["stopReason"] == "Text 'DONE' mentioned"


def test_a_disconnect_does_not_stop_a_run_and_a_stream_resumes(tmp_path: Path) -> None:
    """The run belongs to the session; `Last-Event-ID` gives what was missed, once."""
    script = [{"system": "FIRST", "steps": [{"text": "one", "sleep": 0.4}]}, _says("SECOND", "RESOLVED")]
    with ModelServer(script) as model, _run(_team(tmp_path, "RoundRobin"), model, tmp_path) as runtime:
        session = runtime.new_session()
        path = f"/api/v1/sessions/{session}/messages"
        headers = {"Accept": "text/event-stream"}
        with runtime.client.stream("POST", path, json={"content": "go"}, headers=headers) as answer:
            first = next(read_sse(answer))
        assert first["type"] == "message.user"
        whole = runtime.wait_finished(session)
        resumed = _stream(runtime, session, last_event_id=3, until="run.finished")
        assert [event["seq"] for event in resumed] == list(range(4, len(whole) + 1))
        assert resumed == whole[3:]


def _stream(runtime: Runtime, session: str, last_event_id: int, until: str) -> list[Event]:
    headers = {"Accept": "text/event-stream", "Last-Event-ID": str(last_event_id)}
    seen = []
    with runtime.client.stream("GET", f"/api/v1/sessions/{session}/events", headers=headers) as answer:
        for event in read_sse(answer):
            seen.append(event)
            if event["type"] == until:
                return seen
    return seen


def test_an_answer_streams_piece_by_piece(tmp_path: Path) -> None:
    """Deltas come before the message, and are the message."""
    text = "word " * 30
    script = [{"system": "FIRST", "steps": [{"text": text + "RESOLVED", "chunk_sleep": 0.02}]}]
    with ModelServer(script) as model, _run(_team(tmp_path, "RoundRobin"), model, tmp_path) as runtime:
        events = runtime.ask(runtime.new_session(), "go")
    deltas = [event for event in events if event["type"] == "message.delta"]
    (message,) = [event for event in events if event["type"] == "message"]
    assert len(deltas) > 3
    assert "".join(event["content"] for event in deltas) == message["content"] == text + "RESOLVED"
    assert {event["messageId"] for event in deltas} == {message["messageId"]}
    assert message["usage"]["completionTokens"] > 0


def test_one_run_at_a_time_and_cancel(tmp_path: Path) -> None:
    """409 while one runs; a cancel ends it soon, aborts the call, and the next message works."""
    slow = {"system": "FIRST", "steps": [{"text": "RESOLVED", "sleep": 20}]}
    with ModelServer([slow]) as model, _run(_team(tmp_path, "RoundRobin"), model, tmp_path) as runtime:
        session = runtime.new_session()
        runtime.send(session, "go")
        model.wait_for_requests(1)
        again = runtime.client.post(f"/api/v1/sessions/{session}/messages", json={"content": "x"})
        assert again.status_code == 409
        assert again.headers["content-type"] == "application/problem+json"
        before = time.monotonic()
        assert runtime.client.post(f"/api/v1/sessions/{session}/cancel").status_code == 202
        events = runtime.wait_finished(session)
        assert time.monotonic() - before < 3
        assert events[-1]["outcome"] == "cancelled"
        assert runtime.client.post(f"/api/v1/sessions/{session}/cancel").status_code == 409


def test_a_failed_call_is_told_clearly_and_the_next_message_works(tmp_path: Path) -> None:
    """No traceback, no key; the failed turn leaves no trace in what the model sees next."""
    script = [{"system": "FIRST", "steps": [{"error": 401, "times": 1}, {"text": "fine RESOLVED"}]}]
    with ModelServer(script) as model, _run(_team(tmp_path, "RoundRobin"), model, tmp_path) as runtime:
        session = runtime.new_session()
        failed = runtime.ask(session, "go")[-1]
        assert failed["outcome"] == "failed"
        assert failed["error"]["title"] == "The model call failed"
        assert failed["error"]["detail"].startswith("model `gpt4-config`: HTTP 401")
        assert "Traceback" not in json.dumps(failed)
        assert runtime.ask(session, "again")[-1]["outcome"] == "completed"
        seen = [message["content"] for message in model.requests[-1].messages if message["role"] == "user"]
        assert seen == ["again"]


def test_retries_are_made_for_what_passes(tmp_path: Path) -> None:
    """429 with Retry-After, then 500, then the answer."""
    steps = [{"error": 429, "times": 1, "retry_after": 0.05}, {"error": 500, "times": 1}, {"text": "RESOLVED"}]
    script = [{"system": "FIRST", "steps": steps}]
    with ModelServer(script) as model, _run(_team(tmp_path, "RoundRobin"), model, tmp_path) as runtime:
        assert runtime.ask(runtime.new_session(), "go")[-1]["outcome"] == "completed"
        assert [request.status for request in model.requests] == [429, 500, 200]


def test_a_killed_process_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """The log is there, the open turn goes on, and the conversation with its memory."""
    steps: Iterator[JSON] = iter([{"text": "my answer RESOLVED"}, {"text": "late", "sleep": 20}])
    with ModelServer(lambda _: next(steps, {"text": "again RESOLVED"})) as model:
        config = _team(tmp_path, "RoundRobin")
        with _run(config, model, tmp_path) as runtime:
            session = runtime.new_session()
            runtime.ask(session, "remember me")
            accepted = runtime.send(session, "second")
            model.wait_for_requests(2)
            runtime.kill()
        with _run(config, model, tmp_path) as runtime:
            events = runtime.wait_finished(session)
            assert events[accepted["seq"] - 1]["content"] == "second"
            assert (events[-1]["outcome"], _messages(events)[-1][1]) == ("completed", "again RESOLVED")
            assert [event["type"] for event in events].count("notice") == 1
            assert runtime.ask(session, "third")[-1]["outcome"] == "completed"
            seen = [m["content"] for m in model.requests[-1].messages if m["role"] != "system"]
            assert seen == ["remember me", "my answer RESOLVED", "second", "again RESOLVED", "third"]


def test_a_turn_of_another_agent_is_closed_and_not_gone_on_with(tmp_path: Path) -> None:
    """What was begun with one prompt is not ended with another; the user is told."""
    with ModelServer([{"system": "FIRST", "steps": [{"text": "late", "sleep": 20}]}]) as model:
        config = _team(tmp_path, "RoundRobin")
        with _run(config, model, tmp_path) as runtime:
            session = runtime.new_session()
            runtime.send(session, "go")
            model.wait_for_requests(1)
            runtime.kill()
        config["component"]["config"]["participants"][0]["config"]["system_message"] = "You are FIRST, and kind."
        with _run(config, model, tmp_path) as runtime:
            end = runtime.wait_finished(session)[-1]
            assert (end["outcome"], end["error"]["title"]) == ("failed", "Interrupted")
            assert "the agent is not the same any more" in end["error"]["detail"]


def test_sigterm_lets_a_running_turn_finish(tmp_path: Path) -> None:
    """Not ready, no new message, the turn ends, exit 0; and it is stored."""
    script = [{"system": "FIRST", "steps": [{"text": "RESOLVED", "sleep": 1}]}]
    with ModelServer(script) as model:
        config = _team(tmp_path, "RoundRobin")
        with _run(config, model, tmp_path) as runtime:
            session = runtime.new_session()
            runtime.send(session, "go")
            model.wait_for_requests(1)
            runtime.process.send_signal(signal.SIGTERM)
            _wait(lambda: runtime.client.get("/readyz").status_code == 503)
            refused = runtime.client.post(f"/api/v1/sessions/{session}/messages", json={"content": "x"})
            assert refused.status_code in (409, 503)
            assert runtime.process.wait(10) == 0
        with _run(config, model, tmp_path) as runtime:
            assert runtime.log(session)[-1]["outcome"] == "completed"


def test_sigterm_gives_up_what_does_not_finish_in_time(tmp_path: Path) -> None:
    """The deadline is kept, and the next process goes on with the turn."""
    steps: Iterator[JSON] = iter([{"text": "late", "sleep": 30}])
    with ModelServer(lambda _: next(steps, {"text": "RESOLVED"})) as model:
        config = _team(tmp_path, "RoundRobin")
        with _run(config, model, tmp_path, "--drain-seconds", "0.3") as runtime:
            session = runtime.new_session()
            runtime.send(session, "go")
            model.wait_for_requests(1)
            before = time.monotonic()
            runtime.process.send_signal(signal.SIGTERM)
            assert runtime.process.wait(20) == 0
            assert time.monotonic() - before < 15  # not the model's 30
        with _run(config, model, tmp_path) as runtime:
            events = runtime.wait_finished(session)
            assert (events[-1]["outcome"], _messages(events)) == ("completed", [("first_agent", "RESOLVED")])


def _wait(holds: Any, timeout: float = 5) -> None:
    deadline = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_key_is_in_the_header_and_nowhere_else(tmp_path: Path) -> None:
    """Not in a log, an event, an error or the description, even when the provider repeats it."""

    def echo(request: Any) -> dict[str, Any]:
        return {"text": "RESOLVED"} if len(request.messages) > 2 else {"error": 400}

    with ModelServer(echo, api_key=KEY) as model, _run(_team(tmp_path, "RoundRobin"), model, tmp_path) as runtime:
        session = runtime.new_session()
        events = runtime.ask(session, "go")
        shown = json.dumps(events) + runtime.client.get("/api/v1/agent").text + json.dumps(runtime.log(session))
        assert model.requests[0].headers["authorization"] == f"Bearer {KEY}"
        runtime.process.terminate()
        assert KEY not in shown + runtime.wait_stderr()


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Runtime]:
    """A runtime whose model always answers at once."""
    with ModelServer(lambda _: {"text": "RESOLVED"}) as model:
        with _run(_team(tmp_path, "RoundRobin"), model, tmp_path) as runtime:
            yield runtime


def test_sessions_are_created_listed_renamed_and_deleted(quick: Runtime) -> None:
    """Newest activity first."""
    one, two = quick.new_session(), quick.new_session()
    quick.ask(one, "hello")
    assert [s["id"] for s in quick.client.get("/api/v1/sessions").json()["sessions"]] == [one, two]
    assert quick.client.patch(f"/api/v1/sessions/{two}", json={"title": "Two"}).json()["title"] == "Two"
    assert quick.client.delete(f"/api/v1/sessions/{one}").status_code == 204
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/events"), ("POST", "/cancel")):
        answer = quick.client.request(method, f"/api/v1/sessions/{one}{path}")
        assert (answer.status_code, answer.json()["title"]) == (404, "Not Found")


def test_bad_requests_get_a_problem(quick: Runtime) -> None:
    """A form of error that clients can read, and never a 500."""
    session = quick.new_session()
    path = f"/api/v1/sessions/{session}/messages"
    cases = [
        ({"content": ""}, {}, 422),
        ({"content": "x" * 70_000}, {}, 422),
        ({"contents": "x"}, {}, 422),
        ({"content": "x"}, {"Origin": "https://evil.example"}, 403),
        ({"content": "x" * (1 << 20)}, {}, 413),
    ]
    for body, headers, status in cases:
        answer = quick.client.post(path, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        assert answer.json()["status"] == status
    assert quick.client.post(path, content=b"{", headers={"Content-Type": "application/json"}).status_code == 422
    assert quick.client.post(path, content=b"a=b").status_code == 415
    assert quick.client.get("/healthz", headers={"Host": "attacker.example"}).status_code == 421


def test_security_headers_are_on_every_answer(quick: Runtime) -> None:
    """The page's policy above all."""
    for path in ("/healthz", "/api/v1/agent", "/nowhere"):
        headers = quick.client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"


def test_a_normal_turn_logs_nothing(tmp_path: Path) -> None:
    """An agent of its own and a team: no error, no warning, and nothing of the conversation."""
    single = runtime_config(EXAMPLES / "quickstart")
    with ModelServer(lambda _: {"text": "RESOLVED"}) as model:
        for number, config in enumerate((single, _team(tmp_path, "RoundRobin"))):
            with _run(config, model, tmp_path / str(number)) as runtime:
                session = runtime.new_session()
                for text in ("one", "two"):
                    assert runtime.ask(session, text)[-1]["outcome"] == "completed"
                runtime.process.terminate()
                logged = [json.loads(line)["message"] for line in runtime.wait_stderr().splitlines()]
            assert logged == ["draining"]


def test_the_page_is_asked_for_again_after_an_upgrade(quick: Runtime) -> None:
    """Neither the page nor its modules may be served from a cache unasked."""
    assert quick.client.get("/").headers["cache-control"] == "no-store"
    assert quick.client.get("/static/js/app.js").headers["cache-control"] == "no-cache"
