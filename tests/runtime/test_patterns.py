"""GraphFlow and MagenticOne over HTTP, in a real process, against a model server that speaks OpenAI's protocol."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.edge.model_server import ModelRequest, ModelServer
from tests.harness import CASES
from tests.runtime.process import Event, Runtime, runtime_config, types

ORCHESTRATOR = "MagenticOneOrchestrator"
BUILD = CASES / "build"


def _run(config: dict[str, Any], model: ModelServer, folder: Path, *flags: str) -> Runtime:
    return Runtime(config, folder / "run", *flags, KAGENT_MODEL_BASE_URL=model.base_url)


def _says(system: str, *texts: str, sleep: float = 0) -> dict[str, Any]:
    return {"system": f"You are the {system}", "steps": [{"text": text, "sleep": sleep} for text in texts]}


def _said(events: list[Event]) -> list[tuple[str, str]]:
    return [(event["agent"], event["content"]) for event in events if event["type"] == "message"]


def _speakers(events: list[Event]) -> list[str]:
    return [event["agent"] for event in events if event["type"] == "speaker.selected"]


def _ending(events: list[Event]) -> tuple[str, str]:
    assert events[-1]["type"] == "run.finished", events
    return events[-1]["outcome"], events[-1]["stopReason"]


NEWSPAPER = [
    _says("writer", "draft", "better draft", "second story"),
    _says("legal", "legal is fine", "still fine", "fine again"),
    _says("style", "too long", "good", "good again", sleep=0.3),
    _says("editor", "REVISE it", "now PUBLISH", "PUBLISH at once"),
    _says("publisher", "printed", "printed too"),
]


def test_a_graph_forks_joins_loops_and_starts_again_at_its_start(tmp_path: Path) -> None:
    """Two members speak at once, the next waits for both, a text decides; the second task begins with the first."""
    config = runtime_config(BUILD / "graph-flow" / "input", "newspaper")
    with ModelServer(NEWSPAPER) as model, _run(config, model, tmp_path) as runtime:
        session = runtime.new_session()
        events = runtime.ask(session, "report")
        once = ["writer", "legal", "style", "editor"]
        assert _speakers(events) == [*once, *once, "publisher"]
        assert _said(events) == [
            ("writer", "draft"),
            ("legal", "legal is fine"),
            ("style", "too long"),
            ("editor", "REVISE it"),
            ("writer", "better draft"),
            ("legal", "still fine"),
            ("style", "good"),
            ("editor", "now PUBLISH"),
            ("publisher", "printed"),
        ]
        assert _ending(events) == ("completed", "The graph is complete")
        events = runtime.ask(session, "and another")
        assert _speakers(events) == [*once, "publisher"]
        assert _ending(events) == ("completed", "The graph is complete")
        prompt = [message["content"] for message in model.requests[-1].messages]
    assert "report" in prompt, "it remembers the first task"
    assert events[-1]["usage"]["completionTokens"] > 0


def test_a_graph_says_which_texts_it_waited_for(tmp_path: Path) -> None:
    """AutoGen would say that it is complete."""
    config = runtime_config(BUILD / "graph-flow" / "input", "newspaper")
    script = [*NEWSPAPER[:3], _says("editor", "hm", "PUBLISH"), NEWSPAPER[4]]
    with ModelServer(script) as model, _run(config, model, tmp_path) as runtime:
        session = runtime.new_session()
        reason = "The graph ends early: the message of editor has none of `REVISE`, `PUBLISH`"
        assert _ending(runtime.ask(session, "report")) == ("completed", reason)
        assert _ending(runtime.ask(session, "again")) == ("completed", "The graph is complete")


def test_a_condition_hears_those_who_speak_in_parallel(tmp_path: Path) -> None:
    """AutoGen asks it about the last of them only. The task after that starts at the start, not in the middle."""
    config = runtime_config(BUILD / "graph-flow" / "input", "newspaper")
    condition = {"text": "legal is fine", "sources": ["legal"]}
    config["component"]["config"]["termination_condition"] = {
        "provider": "kagent_runtime.components.TextMention",
        "component_type": "termination",
        "version": 1,
        "config": condition,
    }
    with ModelServer(NEWSPAPER) as model, _run(config, model, tmp_path) as runtime:
        session = runtime.new_session()
        events = runtime.ask(session, "report")
        assert _ending(events) == ("completed", "Text 'legal is fine' mentioned")
        assert _speakers(events) == ["writer", "legal", "style"]
        assert _speakers(runtime.ask(session, "again"))[:4] == ["writer", "legal", "style", "editor"]


def _ledger(speaker: str = "", instruction: str = "", *, reason: str = "not yet", progress: bool = True) -> str:
    answers: dict[str, Any] = {
        "is_request_satisfied": not speaker,
        "is_progress_being_made": progress,
        "is_in_loop": False,
        "next_speaker": speaker,
        "instruction_or_question": instruction,
    }
    return json.dumps({key: {"reason": reason, "answer": answer} for key, answer in answers.items()})


class _Desk:
    """The models of the case magentic-one: the planner, which has no system prompt, and the members'."""

    def __init__(self, ledgers: Sequence[str], members: Sequence[Mapping[str, Any]] = ()) -> None:
        self._ledgers = iter(ledgers)
        self._members = [*members]
        self.asked: list[str] = []

    def __call__(self, request: ModelRequest) -> Mapping[str, Any]:
        if request.system:
            rule = next(rule for rule in self._members if rule["system"] in request.system)
            steps: list[dict[str, Any]] = rule["steps"]
            done: int = sum(message["role"] == "assistant" for message in request.messages)
            return steps[done]
        prompt = str(request.messages[-1]["content"])
        self.asked.append(prompt)
        if "pre-survey" in prompt:
            return {"text": "GIVEN: nothing"}
        if "bullet-point plan" in prompt or "root cause" in prompt:
            return {"text": "- ask the reader"}
        if "is_request_satisfied" in prompt or "not valid" in prompt:
            return {"text": next(self._ledgers)}
        return {"text": f"final answer {sum('one paragraph' in text for text in self.asked)}"}


MEMBERS = [_says("reader", "three pods", "four pods"), _says("writer", "a text")]


def test_an_orchestrator_plans_asks_and_answers_and_remembers(tmp_path: Path) -> None:
    """AutoGen clears everything when the second task arrives, and does not fill in our prompt."""
    config = runtime_config(BUILD / "magentic-one" / "input", "desk")
    ledgers = [_ledger("reader", "count the pods"), _ledger("writer", "write it"), _ledger(reason="all said")]
    desk = _Desk([*ledgers, _ledger("reader", "count again"), _ledger(reason="counted")], MEMBERS)
    with ModelServer(desk) as model, _run(config, model, tmp_path) as runtime:
        session = runtime.new_session()
        events = runtime.ask(session, "how many pods?")
        assert _said(events) == [
            (ORCHESTRATOR, "**Facts**\n\nGIVEN: nothing\n\n**Plan**\n\n- ask the reader"),
            (ORCHESTRATOR, "count the pods"),
            ("reader", "three pods"),
            (ORCHESTRATOR, "write it"),
            ("writer", "a text"),
            (ORCHESTRATOR, "final answer 1"),
        ]
        assert _speakers(events) == ["reader", "writer"]
        assert types(events).count("message.user") == 1
        assert _ending(events) == ("completed", "The request is satisfied: all said")
        wanted = "Answer how many pods? in one paragraph; write {} where nothing is known."
        assert desk.asked[-1] == wanted
        events = runtime.ask(session, "and now?")
    assert _said(events)[-1] == (ORCHESTRATOR, "final answer 2")
    assert _ending(events) == ("completed", "The request is satisfied: counted")
    survey = [text for text in desk.asked if "pre-survey" in text][-1]
    assert "and now?" in survey
    assert "User: how many pods?\n\nAnswer: final answer 1" in survey


def test_a_malformed_ledger_is_asked_for_again(tmp_path: Path) -> None:
    """AutoGen would end the run with an error for each of these."""
    config = runtime_config(BUILD / "magentic-one" / "input", "desk")
    bad = ["Sure! The reader.", "{}", _ledger("nobody", "x"), f"```json\n{_ledger('reader', 'count')}\n```"]
    desk = _Desk([*bad, _ledger(reason="done")], MEMBERS)
    with ModelServer(desk) as model, _run(config, model, tmp_path) as runtime:
        events = runtime.ask(runtime.new_session(), "how many pods?")
    assert _ending(events) == ("completed", "The request is satisfied: done")
    complaints = [text for text in desk.asked if "not valid" in text]
    assert [text.split(": ")[1].split(".")[0] for text in complaints] == [
        "it is not JSON",
        "`is_request_satisfied` has no `answer`",
        "`next_speaker` must be one of reader, writer",
    ]


def test_a_model_that_gives_no_ledger_fails_in_words(tmp_path: Path) -> None:
    """Not with an AssertionError."""
    config = runtime_config(BUILD / "magentic-one" / "input", "plain")
    desk = _Desk(["no"] * 9, MEMBERS)
    with ModelServer(desk) as model, _run(config, model, tmp_path) as runtime:
        events = runtime.ask(runtime.new_session(), "how many pods?")
    assert events[-1]["outcome"] == "failed"
    assert "no valid ledger, in 4 attempts: it is not JSON" in events[-1]["error"]["detail"]


def test_an_orchestrator_plans_anew_and_ends_at_its_turns(tmp_path: Path) -> None:
    """maxStalls rounds without progress, then a new plan; rounds are counted for each task by itself."""
    config = runtime_config(BUILD / "magentic-one" / "input", "desk")
    config["component"]["config"]["max_turns"] = 3
    stuck = [_ledger("reader", "try", progress=False)] * 3
    desk = _Desk([*stuck, *stuck], [_says("reader", "nothing", "nothing"), MEMBERS[1]])
    with ModelServer(desk) as model, _run(config, model, tmp_path) as runtime:
        session = runtime.new_session()
        for _ in range(2):
            events = runtime.ask(session, "how many pods?")
            plans = [text for agent, text in _said(events) if agent == ORCHESTRATOR and text.startswith("**Facts**")]
            assert len(plans) == 2
            assert _ending(events) == ("completed", "Maximum number of turns 3 reached.")


def test_the_orchestrator_can_be_stopped_and_its_tokens_count(tmp_path: Path) -> None:
    """Planning costs tokens that are in no message."""
    config = runtime_config(BUILD / "magentic-one" / "input", "desk")
    config["component"]["config"]["termination_condition"]["config"] = {"max_completion_token": 20}
    desk = _Desk([_ledger("reader", "count the pods")] * 3, MEMBERS)
    with ModelServer(desk) as model, _run(config, model, tmp_path) as runtime:
        events = runtime.ask(runtime.new_session(), "how many pods?")
    outcome, reason = _ending(events)
    assert outcome == "completed"
    assert reason.startswith("Token usage limit reached: ")
    assert _said(events)[-1] == ("reader", "three pods")


def test_a_planning_orchestrator_can_be_cancelled_and_timed_out(tmp_path: Path) -> None:
    """Before the first event of the team; AutoGen passes no token to the calls with a schema."""
    config = runtime_config(BUILD / "magentic-one" / "input", "desk")
    timeout = {"provider": "kagent_runtime.components.Timeout", "component_type": "termination", "version": 1}
    config["component"]["config"]["termination_condition"] = timeout | {"config": {"seconds": 4}}

    def slow_ledger(request: ModelRequest) -> dict[str, Any]:
        return {"text": "GIVEN", "sleep": 20 if "is_request_satisfied" in str(request.messages[-1]["content"]) else 0}

    with ModelServer(slow_ledger) as model, _run(config, model, tmp_path) as runtime:
        session = runtime.new_session()
        runtime.send(session, "how many pods?")
        model.wait_for_requests(3)
        start = time.monotonic()
        runtime.client.post(f"/api/v1/sessions/{session}/cancel")
        assert _ending(runtime.wait_finished(session)) == ("cancelled", "cancelled")
        assert time.monotonic() - start < 3
        events = runtime.ask(session, "and now?")
    assert _ending(events) == ("completed", "Timeout of 4 seconds reached")


NESTED = """
---
apiVersion: kagent.dev/v1alpha1
kind: AgentTeam
metadata: {name: both, namespace: lab}
spec:
  teamType: RoundRobin
  agents: [{name: line, kind: AgentTeam}, {name: inquiry, kind: AgentTeam}]
  maxTurns: 4
---
apiVersion: kagent.dev/v1alpha1
kind: AgentTeam
metadata: {name: twice, namespace: lab}
spec:
  teamType: RoundRobin
  agents: [{name: line, kind: AgentTeam}, {name: legal}]
  maxTurns: 3
---
apiVersion: kagent.dev/v1alpha1
kind: AgentTeam
metadata: {name: inquiry, namespace: lab}
spec:
  teamType: MagenticOne
  agents: [{name: style}]
"""


def _nested(folder: Path, name: str) -> dict[str, Any]:
    specs = folder / "specs"
    specs.mkdir()
    (specs / "all.yaml").write_text((BUILD / "graph-flow" / "input" / "specs.yaml").read_text() + NESTED)
    return runtime_config(specs, name)


def test_a_task_from_an_agent_that_is_a_node_too_starts_the_graph_at_its_start(tmp_path: Path) -> None:
    """AutoGen would take it for the node's answer."""
    with Runtime(_nested(tmp_path, "twice"), tmp_path / "run", "--model", "replay") as runtime:
        events = runtime.ask(runtime.new_session(), "report")
    assert _speakers(events) == ["line", "legal", "publisher", "legal", "line", "legal", "publisher"]


def test_both_are_members_of_other_teams(tmp_path: Path) -> None:
    """Each of them twice in a run: the second time from its start. The task is said once."""
    with Runtime(_nested(tmp_path, "both"), tmp_path / "run", "--model", "replay") as runtime:
        events = runtime.ask(runtime.new_session(), "report")
    speakers = ["line", "legal", "publisher", "inquiry", "style"]
    assert _speakers(events) == [*speakers, *speakers]
    assert _ending(events) == ("completed", "Maximum number of turns 4 reached.")
    said = _said(events)
    assert {agent for agent, _ in said} == {"legal", "publisher", "style", ORCHESTRATOR}
    identities = [event["messageId"] for event in events if event["type"] == "message"]
    assert len(identities) == len(set(identities))


def _replay(name: str, team: str, folder: Path, question: str = "why REVISE checkout?") -> list[list[Event]]:
    config = runtime_config(BUILD / name / "input", team)
    with Runtime(config, folder / team, "--model", "replay", "--cluster", "sample") as runtime:
        session = runtime.new_session()
        return [runtime.ask(session, question), runtime.ask(session, "and now?")]


def test_the_replay_model_brings_a_graph_to_its_end(tmp_path: Path) -> None:
    """It says what leads out of the loop, and does not quote what leads back."""
    for events in _replay("graph-flow", "newspaper", tmp_path):
        assert _speakers(events) == ["writer", "legal", "style", "editor", "publisher"]
        assert _ending(events) == ("completed", "The graph is complete")
        assert dict(_said(events))["editor"].endswith("\n\nPUBLISH")


def test_the_replay_model_brings_an_orchestrator_to_its_end(tmp_path: Path) -> None:
    """Every member once; the final answer says that no model was called."""
    for events in _replay("magentic-one", "plain", tmp_path):
        assert _speakers(events) == ["reader"]
        assert _ending(events) == ("completed", "The request is satisfied: every member has spoken")
        assert _said(events)[-1][0] == ORCHESTRATOR
        assert "Replay model" in _said(events)[-1][1]
        assert [event["name"] for event in events if event["type"] == "tool.call"]
    for events in _replay("magentic-one", "desk", tmp_path):
        assert _speakers(events) == ["reader", "writer"]


def test_the_replay_model_asks_the_user_where_nothing_else_ends_a_swarm(tmp_path: Path) -> None:
    """The case has no closing text."""
    config = runtime_config(BUILD / "conditions" / "input", "desk")
    only = config["component"]["config"]["termination_condition"]["config"]["conditions"][0]
    config["component"]["config"]["termination_condition"] = only
    with Runtime(config, tmp_path, "--model", "replay", "--cluster", "sample") as runtime:
        session = runtime.new_session()
        for question in ("checkout is down", "only since noon"):
            events = runtime.ask(session, question)
            assert _ending(events) == ("completed", "Handoff to user from triage")


def test_the_description_names_the_pattern(tmp_path: Path) -> None:
    """The web page shows it."""
    for case, team, pattern in (("graph-flow", "line", "GraphFlow"), ("magentic-one", "plain", "MagenticOne")):
        config = runtime_config(BUILD / case / "input", team)
        with Runtime(config, tmp_path / team, "--model", "replay", "--cluster", "sample") as runtime:
            assert runtime.client.get("/api/v1/agent").json()["pattern"] == pattern


def test_a_selector_chooses_for_every_message_and_asks_as_often_as_it_is_told(tmp_path: Path) -> None:
    """An answer that is no member is asked for again, here once."""
    config = runtime_config(BUILD / "selector-team" / "input")
    config["component"]["config"] |= {"max_selector_attempts": 2, "max_turns": 1}
    choices = ["critic", "nobody", "writer"]
    script: list[dict[str, Any]] = [
        {"contains": "Pick one of", "by_request": True, "steps": [{"text": choice} for choice in choices]},
        {"system": "You criticise", "steps": [{"text": "bad"}]},
        {"system": "You write", "steps": [{"text": "better"}]},
    ]
    with ModelServer(script) as model, _run(config, model, tmp_path) as runtime:
        session = runtime.new_session()
        assert _speakers(runtime.ask(session, "a story")) == ["critic"]
        events = runtime.ask(session, "again")
        assert len(model.requests) == 5
    assert _said(events) == [("writer", "better")]
    assert _ending(events) == ("completed", "Maximum number of turns 1 reached.")
