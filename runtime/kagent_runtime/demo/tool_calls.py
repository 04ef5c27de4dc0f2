"""Chooses the next tool call of a replayed agent and fills its arguments from the tool's own schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kagent_runtime.demo import evidence
from kagent_runtime.demo.conversation import Conversation
from kagent_runtime.demo.roles import ToolFacts

MAX_CALLS = 3
TAIL_LINES = 50
_PREFERRED = ("pods", "deployments", "events", "services")


@dataclass(frozen=True)
class Offered:
    """A tool as offered with the request, with the resources its declaration grants."""

    name: str
    parameters: Mapping[str, Any]
    resources: tuple[str, ...] = ()

    @property
    def properties(self) -> Mapping[str, Any]:
        """The parameters' schemas by name."""
        properties = self.parameters.get("properties") or {}
        return properties if isinstance(properties, Mapping) else {}

    @property
    def required(self) -> tuple[str, ...]:
        """The parameters that must be given."""
        return tuple(self.parameters.get("required") or ())

    @property
    def kind(self) -> str:
        """get, describe, logs or other: judged by the schema, because the name is the user's choice."""
        if "pod" in self.properties:
            return "logs"
        if "resource" in self.properties:
            return "describe" if "name" in self.required else "get"
        return "other"


def offered(schema: Mapping[str, Any], declared: list[ToolFacts]) -> Offered:
    """Join the schema passed with the request and the declaration of the same name."""
    resources = next((tuple(tool.resources) for tool in declared if tool.name == schema["name"]), ())
    return Offered(schema["name"], schema.get("parameters") or {}, resources)


def next_call(tools: list[Offered], conversation: Conversation) -> tuple[str, dict[str, Any]] | None:
    """The next call to make: name and arguments; None when enough was looked at."""
    done = [(call.name, call.arguments) for call in conversation.answered]
    if len(done) >= MAX_CALLS:
        return None
    for call in _plan(tools, conversation):
        if call not in done:
            return call
    return None


def _plan(tools: list[Offered], conversation: Conversation) -> list[tuple[str, dict[str, Any]]]:
    by_kind = {kind: [tool for tool in tools if tool.kind == kind] for kind in ("get", "describe", "logs", "other")}
    pod = evidence.suspect(conversation.evidence)
    calls = [(tool.name, _get(tool, conversation)) for tool in by_kind["get"][:1]]
    calls += [(tool.name, _describe(tool, pod)) for tool in by_kind["describe"][:1] if pod]
    calls += [(tool.name, _logs(tool, pod)) for tool in by_kind["logs"][:1] if pod]
    if not by_kind["describe"] and not by_kind["logs"]:
        calls += [(tool.name, arguments) for tool in by_kind["get"][:1] if (arguments := _config(tool, conversation))]
    return calls + [(tool.name, _fill(tool, {"name": pod} if pod else {}, conversation)) for tool in by_kind["other"]]


def _get(tool: Offered, conversation: Conversation) -> dict[str, Any]:
    # Pods first; where a colleague has already shown them, what owns them is the news.
    known = evidence.suspect([text for _, text in conversation.texts])
    resource = _resource(tool, ("deployments", *_PREFERRED) if known else _PREFERRED)
    return _fill(tool, {"resource": resource}, conversation)


def _config(tool: Offered, conversation: Conversation) -> dict[str, Any] | None:
    name = evidence.config_map(conversation.evidence)
    if not name or "name" not in tool.properties or _resource(tool, ("configmaps",)) != "configmaps":
        return None
    wanted = {"resource": "configmaps", "name": name, "output": "yaml"}
    return {key: value for key, value in wanted.items() if key in tool.properties}


def _describe(tool: Offered, pod: str) -> dict[str, Any]:
    return _fill(tool, {"resource": _resource(tool, _PREFERRED), "name": pod})


def _logs(tool: Offered, pod: str) -> dict[str, Any]:
    wanted: dict[str, Any] = {"pod": pod, "previous": True, "tailLines": TAIL_LINES}
    return _fill(tool, {key: value for key, value in wanted.items() if _allows(tool, key, value)})


def _resource(tool: Offered, preferred: tuple[str, ...]) -> str:
    schema = tool.properties["resource"]
    narrowed = [schema["const"]] if "const" in schema else schema.get("enum") or []
    choices = [str(choice) for choice in narrowed] or list(tool.resources)
    return next((name for name in preferred if name in choices or not choices), choices[0] if choices else preferred[0])


def _allows(tool: Offered, key: str, value: Any) -> bool:
    schema = tool.properties.get(key)
    if schema is None:
        return False
    if isinstance(value, int) and not isinstance(value, bool):
        return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))
    return value in (schema.get("enum") or [value]) and schema.get("const", value) == value


def _fill(tool: Offered, known: dict[str, Any], conversation: Conversation | None = None) -> dict[str, Any]:
    """The known arguments the schema has, plus a value for every other required one."""
    question = conversation.question if conversation else ""
    arguments = {key: value for key, value in known.items() if key in tool.properties}
    for name in tool.required:
        if name not in arguments:
            arguments[name] = _value(tool.properties.get(name) or {}, question)
    return arguments


def _value(schema: Mapping[str, Any], question: str) -> Any:
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    for key in ("enum", "examples"):
        if schema.get(key):
            return schema[key][0]
    simple: dict[str, Any] = {"integer": 1, "number": 1, "boolean": False, "array": [], "object": {}}
    kind = schema.get("type", "string")
    value = simple.get(kind, question or "example") if isinstance(kind, str) else question
    return max(value, schema.get("minimum", value)) if kind in ("integer", "number") else value
