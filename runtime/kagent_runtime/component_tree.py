"""Pure functions over a component tree and over the state AutoGen saves of it."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator
from typing import Any, get_args

from kagent_runtime.model import RuntimeConfig
from kagent_runtime.model.alertmanager_tools import ReadingAlertmanagerOperation
from kagent_runtime.model.github_tools import ReadingGithubOperation
from kagent_runtime.model.helm_tools import ReadingHelmOperation
from kagent_runtime.model.kubernetes_tools import ReadingOperation

Tree = dict[str, Any]


def with_team_events(tree: Tree) -> Tree:
    """A copy in which every team says whom it selects, nested teams included."""
    changed = copy.deepcopy(tree)
    for team in _teams(changed):
        team["config"]["emit_team_events"] = True
    return changed


_OR = "autogen_agentchat.base.OrTerminationCondition"
_OWN = "kagent_runtime.components."


def with_stop(tree: Tree) -> Tree:
    """A copy in which a team can be stopped over HTTP, also where its conditions do not speak of it."""
    if tree["component_type"] != "team" or has_condition(tree["config"].get("termination_condition"), "External"):
        return tree
    external = {"provider": f"{_OWN}External", "component_type": "termination", "version": 1, "config": {}}
    given = tree["config"].get("termination_condition")
    both = {"provider": _OR, "component_type": "termination", "version": 1, "config": {"conditions": [given, external]}}
    return tree | {"config": tree["config"] | {"termination_condition": both if given else external}}


def has_condition(condition: Tree | None, name: str) -> bool:
    """Whether one of our own conditions is among these."""
    if condition is None:
        return False
    parts = condition["config"].get("conditions") or ()
    return condition["provider"] == f"{_OWN}{name}" or any(has_condition(part, name) for part in parts)


def announces_ends(tree: Tree) -> bool:
    """Whether a team waits for the end of a nested one."""
    return any(has_condition(team["config"].get("termination_condition"), "StopMessage") for team in _teams(tree))


def deadline(tree: Tree) -> int | None:
    """After how many seconds a Timeout ends the run all by itself."""
    condition = tree["config"].get("termination_condition")
    return min(_timeouts(condition), default=None) if condition else None


def _timeouts(condition: Tree) -> Iterator[int]:
    if condition["provider"] == _OR:
        for part in condition["config"]["conditions"]:
            yield from _timeouts(part)
    elif condition["provider"] == f"{_OWN}Timeout":
        yield condition["config"]["seconds"]


def addressee(tree: Tree, state: Tree | None) -> str | None:
    """The agent of a Swarm that the user's message goes to: who asked the user, who was handed over to, the first.

    A plain task would go to whoever got the last handoff, which need not be able to hand over again, and would fail
    when that was the user.
    """
    if tree["provider"] != "autogen_agentchat.teams.Swarm":
        return None
    names: list[str] = [part["config"]["name"] for part in tree["config"]["participants"]]
    thread = ((state or {}).get("agent_states", {}).get("SwarmGroupChatManager") or {}).get("message_thread")
    last = thread[-1] if thread else {}
    wanted = last.get("source") if last.get("target") == "user" else last.get("target")
    return wanted if wanted in names else names[0]


def with_gates(tree: Tree, config: RuntimeConfig) -> Tree:
    """A copy with a Gate around every workbench, a journal around every model and, with limits, a guard around that."""
    changed = copy.deepcopy(tree)
    approvals = {agent.id: agent.requiresApproval for agent in config.agents}
    for number, part in enumerate(_parts(changed)):
        name, own = part["config"]["name"], part["config"]
        if benches := own.get("workbench"):
            place = f"{number} {name}"  # an agent may be in two teams
            own["workbench"] = [_gate(bench, name, approvals.get(name, []), place) for bench in benches]
        if "model_client" in own:
            own["model_client"] = _guarded(own["model_client"], f"{number} {name}", config.limits is not None)
    return changed


def _gate(bench: Tree, agent: str, approvals: list[str], place: str) -> Tree:
    config = {"workbench": bench, "agent": agent, "requires_approval": approvals, "place": place}
    again = {"repeatable": _repeatable(bench), "traceable": _traceable(bench)}
    return _component(f"{_OWN}Gate", "workbench", config | again)


# A workbench of which every tool only reads.
_READING = f"{_OWN}PrometheusTools"
_READING_OPERATIONS = {
    f"{_OWN}KubernetesTools": frozenset(get_args(ReadingOperation)),
    f"{_OWN}GithubTools": frozenset(get_args(ReadingGithubOperation)),
    f"{_OWN}HelmTools": frozenset(get_args(ReadingHelmOperation)),
    f"{_OWN}AlertmanagerTools": frozenset(get_args(ReadingAlertmanagerOperation)),
}


def _repeatable(bench: Tree) -> list[str]:
    """The tools that may be called again when nobody knows whether they were."""
    tools = bench["config"].get("tools") or ()
    if bench["provider"] == _READING:
        return [tool["name"] for tool in tools]
    if reading := _READING_OPERATIONS.get(bench["provider"]):
        return [tool["name"] for tool in tools if tool["operation"] in reading]
    if bench["provider"] == f"{_OWN}HttpTools":
        return [tool["name"] for tool in tools if tool["method"] in ("GET", "HEAD")]
    return []


def _traceable(bench: Tree) -> list[str]:
    """The tools that find out what became of a call: an agent of ours tells by the question's own context."""
    is_asking = bench["provider"] == f"{_OWN}AgentTools"
    return [tool["name"] for tool in bench["config"]["tools"] if tool.get("is_ours")] if is_asking else []


def _guarded(client: Tree, place: str, has_limits: bool) -> Tree:
    """Journal and guard are around the model itself: what wraps a model may call it more than once."""
    if inner := client["config"].get("model_client"):
        return client | {"config": client["config"] | {"model_client": _guarded(inner, place, has_limits)}}
    journal = _component(f"{_OWN}ModelJournal", "model", {"model_client": client, "place": place})
    return _component(f"{_OWN}ModelGuard", "model", {"model_client": journal}) if has_limits else journal


def _component(provider: str, component_type: str, config: Tree) -> Tree:
    return {"provider": provider, "component_type": component_type, "version": 1, "config": config}


def answering_with_json(tree: Tree) -> set[str]:
    """The agents whose answers have an output schema."""
    agents = (part["config"] for part in _parts(tree) if part["component_type"] == "agent")
    return {agent["name"] for agent in agents if "output_schema" in agent["model_client"]["config"]}


def handoff_names(tree: Tree) -> set[str]:
    """The names of the tools by which agents hand over."""
    agents = (part for part in _parts(tree) if part["component_type"] == "agent")
    return {handoff["name"] for agent in agents for handoff in agent["config"].get("handoffs") or ()}


def state_version(tree: Tree) -> str:
    """A hash of what a saved state depends on: who is in which team. A changed prompt keeps the conversation."""
    return hashlib.sha256(json.dumps(_shape(tree)).encode()).hexdigest()


def config_version(tree: Tree, limits: Any) -> str:
    """A hash of all that decides what a turn does: one that was begun under another cannot go on."""
    return hashlib.sha256(json.dumps([tree, limits], sort_keys=True).encode()).hexdigest()


def restarted(state: Tree) -> Tree:
    """A copy in which every RoundRobin starts a new task with its first member, not after its last speaker.

    GraphFlow and MagenticOne start afresh by themselves: see their components.
    """
    changed = copy.deepcopy(state)
    for manager in _managers(changed):
        if "next_speaker_index" in manager:
            manager["next_speaker_index"] = 0
    return changed


def _shape(tree: Tree) -> list[Any]:
    members = [_shape(part) for part in tree["config"].get("participants", ())]
    return [tree["provider"], tree["config"]["name"], members]


def _parts(tree: Tree) -> Iterator[Tree]:
    yield tree
    for part in tree["config"].get("participants", ()):
        yield from _parts(part)


def _teams(tree: Tree) -> Iterator[Tree]:
    return (part for part in _parts(tree) if part["component_type"] == "team")


def _managers(state: Tree) -> Iterator[Tree]:
    # A member's own state is below `agent_state` of its container; only a team's has `agent_states` again.
    for member in state.get("agent_states", {}).values():
        yield member
        yield from _managers(member.get("agent_state") or {})
