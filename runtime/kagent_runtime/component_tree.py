"""Pure functions over a component tree and over the state AutoGen saves of it."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator
from typing import Any

from kagent_runtime.model import RuntimeConfig

Tree = dict[str, Any]


def with_team_events(tree: Tree) -> Tree:
    """A copy in which every team says whom it selects, nested teams included."""
    changed = copy.deepcopy(tree)
    for team in _teams(changed):
        team["config"]["emit_team_events"] = True
    return changed


def with_gates(tree: Tree, config: RuntimeConfig) -> Tree:
    """A copy with a Gate around every workbench and, where the run has limits, a guard around every model."""
    changed = copy.deepcopy(tree)
    approvals = {agent.id: agent.requiresApproval for agent in config.agents}
    for part in _parts(changed):
        name, own = part["config"]["name"], part["config"]
        if benches := own.get("workbench"):
            own["workbench"] = [_gate(bench, name, approvals.get(name, [])) for bench in benches]
        if config.limits is not None and "model_client" in own:
            own["model_client"] = _guarded(own["model_client"])
    return changed


def _gate(bench: Tree, agent: str, approvals: list[str]) -> Tree:
    config = {"workbench": bench, "agent": agent, "requires_approval": approvals}
    return _component("kagent_runtime.components.Gate", "workbench", config)


def _guarded(client: Tree) -> Tree:
    """The guard is around the model itself: what wraps a model may call it more than once."""
    if inner := client["config"].get("model_client"):
        return client | {"config": client["config"] | {"model_client": _guarded(inner)}}
    return _component("kagent_runtime.components.ModelGuard", "model", {"model_client": client})


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


def restarted(state: Tree) -> Tree:
    """A copy in which every RoundRobin starts a new task with its first member, not after its last speaker."""
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
