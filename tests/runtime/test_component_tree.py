"""What the engine makes of a component tree and of a saved state, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from kagent_runtime import component_tree
from kagent_runtime.components.ledger import read_ledger
from kagent_runtime.config import ConfigError, check_config
from kagent_runtime.orchestrator import readable
from tests.harness import CASES
from tests.runtime.configs import agent, component, runtime_config, team, text_mention
from tests.runtime.process import runtime_config as compiled

URL = "http://model.example.com/v1"


def _condition(name: str, **config: Any) -> dict[str, Any]:
    return component(f"kagent_runtime.components.{name}", "termination", config)


def _either(*conditions: dict[str, Any], word: str = "Or") -> dict[str, Any]:
    config = {"conditions": list(conditions)}
    return component(f"autogen_agentchat.base.{word}TerminationCondition", "termination", config)


def _team(condition: dict[str, Any] | None) -> dict[str, Any]:
    return team("RoundRobinGroupChat", [agent("a", URL), agent("b", URL)], condition)


def test_every_team_can_be_stopped_and_an_agent_is_left_alone() -> None:
    """Where the spec says what an External means, nothing is added."""
    assert component_tree.with_stop(agent("a", URL)) == agent("a", URL)
    plain = component_tree.with_stop(_team(None))["config"]["termination_condition"]
    assert plain["provider"].endswith(".External")
    mention = text_mention("DONE", "a")
    both = component_tree.with_stop(_team(mention))["config"]["termination_condition"]
    assert both["config"]["conditions"] == [mention, plain]
    own = _team(_either(mention, _condition("External"), word="And"))
    assert component_tree.with_stop(own) == own


@pytest.mark.parametrize(
    ("condition", "seconds"),
    [
        (None, None),
        (_condition("Timeout", seconds=9), 9),
        (_either(_condition("Timeout", seconds=9), _either(_condition("Timeout", seconds=5))), 5),
        (_either(_condition("Timeout", seconds=9), text_mention("DONE", "a"), word="And"), None),
    ],
)
def test_a_deadline_is_a_timeout_that_ends_the_team_alone(condition: dict[str, Any] | None, seconds: int) -> None:
    assert component_tree.deadline(_team(condition)) == seconds


@pytest.mark.parametrize(
    ("thread", "target"),
    [
        ([], "a"),
        ([{"source": "b", "target": "user"}], "b"),
        ([{"source": "a", "target": "b"}], "b"),
        ([{"source": "a", "target": "b"}, {"source": "b", "content": "done"}], "a"),
        ([{"source": "gone", "target": "user"}], "a"),
    ],
)
def test_the_message_of_the_user_has_an_addressee(thread: list[dict[str, str]], target: str) -> None:
    """Who asked, or who was handed over to and has not spoken yet, else the first."""
    swarm = team("Swarm", [agent("a", URL), agent("b", URL)])
    state = {"agent_states": {"SwarmGroupChatManager": {"message_thread": thread}}}
    assert component_tree.addressee(swarm, state) == target
    assert component_tree.addressee(swarm, None) == "a"
    assert component_tree.addressee(_team(None), state) is None


def _graph(**changes: Any) -> dict[str, Any]:
    config = compiled(CASES / "build" / "graph-flow" / "input", "line")
    config["component"]["config"]["graph"] |= changes
    return config


@pytest.mark.parametrize(
    "config",
    [
        _graph(default_start_node="stranger"),
        _graph(nodes={"legal": {"name": "legal", "activation": "all"}}),
        runtime_config(_team(_condition("TokenUsage"))),
        runtime_config(_team(_condition("Timeout", seconds=0))),
        runtime_config(team("Swarm", [agent("a", URL)], _condition("Nothing"))),
        runtime_config(team("GraphFlow", [agent("a", URL)])),
    ],
)
def test_a_config_that_would_fail_in_a_conversation_is_refused(config: dict[str, Any]) -> None:
    """AutoGen would load each, or fail with a traceback when the first message arrives."""
    with pytest.raises(ConfigError):
        check_config(config, "runtime.json")


def _entry(answer: object) -> str:
    return f'{{"reason": "r", "answer": {answer}}}'


def _ledger(speaker: str, satisfied: str = "false") -> str:
    keys = ("is_progress_being_made", "is_in_loop", "instruction_or_question")
    rest = ", ".join(f'"{key}": {_entry("true")}' for key in keys)
    return f'{{"is_request_satisfied": {_entry(satisfied)}, "next_speaker": {_entry(speaker)}, {rest}}}'


def test_a_ledger_is_read_or_its_mistake_is_said() -> None:
    """One of several members; a single one needs no choice; a satisfied request needs none either."""
    assert read_ledger(_ledger('"a"'), ["a", "b"])[1] == ""
    assert read_ledger(f"```json\n{_ledger(chr(34) + ' a ' + chr(34))}\n```", ["a", "b"])[1] == ""
    assert read_ledger(_ledger('"x"'), ["a", "b"]) == (None, "`next_speaker` must be one of a, b")
    only = read_ledger(_ledger('"x"'), ["a"])[0]
    assert only is not None
    assert only["next_speaker"]["answer"] == "a"
    assert read_ledger(_ledger("null", "true"), ["a", "b"])[1] == ""
    for text in ("", "[1]", "3", "```python\nx\n```", '{"is_request_satisfied": true}', "{} {}"):
        assert read_ledger(text, ["a"])[0] is None


def test_only_a_task_ledger_is_shortened() -> None:
    """Anything else an orchestrator says is its own."""
    assert readable("count the pods") == "count the pods"


def test_after_a_crash_only_what_reads_the_cluster_is_called_again() -> None:
    """A scale that may have been made is not made twice."""
    bench = component(
        "kagent_runtime.components.KubernetesTools",
        "workbench",
        {
            "tools": [
                {"name": f"kubectl-{name}", "operation": name} for name in ("get", "top", "scale", "drain", "delete")
            ]
        },
    )
    assert component_tree._repeatable(bench) == ["kubectl-get", "kubectl-top"]
