"""What a server says of itself: for the web page and for `GET /api/v1/agent`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kagent_runtime import __version__
from kagent_runtime.model import RuntimeConfig
from kagent_runtime.settings import Settings

_PATTERNS = {
    "autogen_agentchat.agents.AssistantAgent": "Agent",
    "autogen_agentchat.teams.RoundRobinGroupChat": "RoundRobin",
    "autogen_agentchat.teams.SelectorGroupChat": "Selector",
    "autogen_agentchat.teams.Swarm": "Swarm",
    "kagent_runtime.components.GraphFlow": "GraphFlow",
    "kagent_runtime.components.MagenticOne": "MagenticOne",
}
_REPLAY = "No language model is called: a replay model answers from what the tools return."
_SAMPLE = "The Kubernetes tools read a recorded sample cluster, not a real one."


def describe(config: RuntimeConfig, component: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """The description, as the API gives it."""
    tools = {tool["name"]: tool["description"] for tool in _tools(component)}
    is_replay = settings.model_mode == "replay"
    is_sample = bool(tools) and settings.cluster_mode == "sample"
    return {
        "name": config.metadata.name,
        "kind": config.metadata.kind,
        "namespace": config.metadata.namespace,
        "description": config.description,
        "pattern": _PATTERNS[component["provider"]],
        "agents": [
            agent.model_dump(exclude={"tools"})
            | {"tools": [{"name": name, "description": tools.get(name, "")} for name in agent.tools]}
            for agent in config.agents
        ],
        "models": [dict(item) for item in sorted({tuple(sorted(model.items())) for model in _models(component)})],
        "modelMode": settings.model_mode,
        "clusterMode": settings.cluster_mode if tools else None,
        "notices": [text for text, holds in ((_REPLAY, is_replay), (_SAMPLE, is_sample)) if holds],
        "version": __version__,
    }


def _components(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "provider" in value and "component_type" in value:
            yield value
        for item in value.values():
            yield from _components(item)
    elif isinstance(value, list):
        for item in value:
            yield from _components(item)


def _tools(component: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in _components(component):
        if item["component_type"] == "workbench":
            yield from item["config"]["tools"]


def _models(component: dict[str, Any]) -> Iterator[dict[str, str]]:
    for item in _components(component):
        if item["component_type"] == "model":
            config = item["config"]
            yield {"name": config["name"], "model": config["model"], "provider": config["provider"]}
