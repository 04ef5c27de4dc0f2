"""RuntimeConfigs as the compiler emits them, small enough to read in a test."""

from __future__ import annotations

from typing import Any

JSON = dict[str, Any]
API_KEY_ENV = "KAGENT_GPT4_CONFIG_API_KEY"

RESOURCES = ["configmaps.v1", "deployments.v1.apps", "pods.v1", "secrets.v1"]

_STRING = {"type": "string", "description": "text"}
_PARAMETERS: dict[str, tuple[JSON, list[str]]] = {
    "get": (
        {name: _STRING for name in ("resource", "name", "namespace", "labelSelector", "fieldSelector")}
        | {"output": {"type": "string", "description": "form", "enum": ["table", "yaml"]}},
        ["resource"],
    ),
    "describe": ({name: _STRING for name in ("resource", "name", "namespace")}, ["resource", "name"]),
    "logs": (
        {name: _STRING for name in ("pod", "namespace", "container")}
        | {
            "previous": {"type": "boolean", "description": "flag"},
            "tailLines": {"type": "integer", "description": "number"},
            "sinceSeconds": {"type": "integer", "description": "number"},
        },
        ["pod"],
    ),
}


def component(provider: str, component_type: str, config: JSON) -> JSON:
    """A component with the keys every component has."""
    return {"provider": provider, "component_type": component_type, "version": 1, "config": config}


def model(base_url: str, *, api_key_env: str | None = API_KEY_ENV, **changes: Any) -> JSON:
    """A model client without retries, so that a test of an error is over at once."""
    config: JSON = {
        "name": "gpt4-config",
        "provider": "OpenAICompatible",
        "model": "gpt-4o",
        "base_url": base_url,
        "api_key_env": api_key_env,
        "timeout_seconds": 10.0,
        "max_retries": 0,
        "parameters": {"temperature": 0.1},
        "model_info": {
            "vision": False,
            "function_calling": True,
            "json_output": True,
            "family": "unknown",
            "structured_output": True,
            "multiple_system_messages": True,
        },
    }
    return component("kagent_runtime.components.ModelClient", "model", config | changes)


def tools(*operations: str, namespaces: tuple[str, ...] = ("ai-agents",), **changes: Any) -> JSON:
    """The Kubernetes workbench with the built-in tools of these operations."""
    config: JSON = {
        "tools": [_tool(operation, list(namespaces)) for operation in operations],
        "timeout_seconds": 5.0,
        "max_output_bytes": 4096,
    }
    return component("kagent_runtime.components.KubernetesTools", "workbench", config | changes)


def _tool(operation: str, namespaces: list[str]) -> JSON:
    properties, required = _PARAMETERS[operation]
    return {
        "name": f"kubectl-{operation}",
        "operation": operation,
        "description": f"The {operation} operation.",
        "parameters": {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        },
        "resources": ["pods.v1"] if operation == "logs" else RESOURCES,
        "cluster_resources": [] if operation == "logs" else ["nodes.v1"],
        "namespaces": namespaces,
    }


def agent(id: str, base_url: str, *, workbench: JSON | None = None, handoffs: tuple[str, ...] = ()) -> JSON:
    """An AssistantAgent whose system message names it."""
    config: JSON = {
        "name": id,
        "description": f"The {id}",
        "model_client": model(base_url),
        "system_message": f"You are {id}.",
        "model_client_stream": True,
        "reflect_on_tool_use": workbench is not None,
        "tool_call_summary_format": "{result}",
        "max_tool_iterations": 10,
        "metadata": {},
    }
    if workbench is not None:
        config["workbench"] = [workbench]
    if handoffs:
        config["handoffs"] = [_handoff(target) for target in handoffs]
    return component("autogen_agentchat.agents.AssistantAgent", "agent", config)


def _handoff(target: str) -> JSON:
    return {
        "target": target,
        "description": f"Hand over to {target}",
        "name": f"transfer_to_{target}",
        "message": f"Handed over to {target}.",
    }


def text_mention(text: str, *sources: str) -> JSON:
    """Our own condition."""
    config = {"text": text, "sources": list(sources)}
    return component("kagent_runtime.components.TextMention", "termination", config)


def team(pattern: str, participants: list[JSON], condition: JSON | None = None, **more: Any) -> JSON:
    """A team of AutoGen's class `pattern`."""
    config: JSON = {"name": "the_team", "description": "The team", "participants": participants}
    if condition is not None:
        config["termination_condition"] = condition
    return component(f"autogen_agentchat.teams.{pattern}", "team", config | {"max_turns": 10} | more)


def runtime_config(root: JSON) -> JSON:
    """The envelope around a component tree."""
    is_team = root["component_type"] == "team"
    members = [part for part in _agents(root)]
    return {
        "apiVersion": "runtime.kagent.dev/v1",
        "kind": "RuntimeConfig",
        "metadata": {
            "name": "under-test",
            "kind": "AgentTeam" if is_team else "Agent",
            "namespace": "ai-agents",
        },
        "description": "What is under test",
        "agents": [_summary(member["config"]) for member in members],
        "component": root,
    }


def _agents(node: JSON) -> list[JSON]:
    if node["component_type"] == "agent":
        return [node]
    return [found for part in node["config"]["participants"] for found in _agents(part)]


def _summary(config: JSON) -> JSON:
    granted = [tool["name"] for bench in config.get("workbench") or [] for tool in bench["config"]["tools"]]
    return {
        "id": config["name"],
        "name": config["name"].replace("_", "-"),
        "description": config["description"],
        "model": "gpt4-config",
        "tools": granted,
    }
