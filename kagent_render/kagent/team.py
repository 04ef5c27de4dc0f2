"""Team of kagent's AutoGen era (v1alpha1) to AgentTeam.

kagent 0.4 emitted Selector, Swarm and MagenticOne teams, and `or` conditions, that AutoGen could not load; and it never
emitted maxTurns. What is written here does what the Team says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kagent_render.kagent.fields import Fields, Resource
from kagent_render.kagent.spec import Spec

_PATTERNS = {
    "roundRobinTeamConfig": "RoundRobin",
    "selectorTeamConfig": "Selector",
    "magenticOneTeamConfig": "MagenticOne",
    "swarmTeamConfig": "Swarm",
}
UNSUPPORTED = {
    "spec.description": "",
    "spec.maxTurns": "",
    "spec.modelConfig": "the members' own models are used",
    "spec.participants": "",
    "spec.roundRobinTeamConfig": "a RoundRobin has no settings",
    "spec.swarmTeamConfig": "a Swarm has no settings",
    "spec.selectorTeamConfig": "a Selector has no such setting",
    "spec.magenticOneTeamConfig": "a MagenticOne has no such setting",
    "spec.terminationCondition": "there is no such condition",
    "metadata.labels": "",
    "metadata.annotations": "",
}


def convert(resource: Resource) -> Iterator[Spec]:
    """One AgentTeam."""
    spec = resource.fields("spec")
    out = Spec(resource, "AgentTeam", resource.name, resource.namespace)
    out.put("description", spec.text("description"), spec.at("description"))
    field = next((name for name in _PATTERNS if spec.data.get(name) is not None), None)
    if field is None:
        resource.fail("the team has none of " + ", ".join(_PATTERNS), spec.location)
        return
    pattern = _PATTERNS[field]
    out.put("teamType", pattern)
    agents = [{"name": str(name).rpartition("/")[2]} for name in spec.take("participants", [])]
    out.put("agents", agents, spec.at("participants"))
    out.put("maxTurns", spec.number("maxTurns"), spec.at("maxTurns"))
    _settings(pattern, spec, spec.below(field), out)
    spec.take(field) if not spec.data[field] else None
    out.put("terminationCondition", _condition(spec.below("terminationCondition")), spec.at("terminationCondition"))
    if pattern == "Swarm":
        help = "give each member the `handoffs` that it may make; kagent's planning agent is not added"
        resource.warn("the handoffs of a Swarm are not known", spec.at(field), help)
    yield out


def models_of_members(resources: Sequence[Resource]) -> dict[tuple[str | None, str], str]:
    """By agent: the model of a team that lists it. Agents of the first releases had none of their own."""
    found: dict[tuple[str | None, str], str] = {}
    for resource in resources:
        spec = resource.document.data.get("spec") or {}
        if resource.kind == "Team" and isinstance(spec.get("modelConfig"), str):
            for name in spec.get("participants") or ():
                found.setdefault((resource.namespace, str(name).rpartition("/")[2]), spec["modelConfig"])
    return found


def _settings(pattern: str, spec: Fields, settings: Fields, out: Spec) -> None:
    model = spec.data.get("modelConfig")
    if pattern in ("Selector", "MagenticOne") and model:
        block = "selector" if pattern == "Selector" else "magenticOne"
        reference = {"name": str(spec.take("modelConfig")).rpartition("/")[2]}
        out.put(f"{block}.modelConfigRef", reference, spec.at("modelConfig"))
    if pattern == "Selector":
        out.put("selector.prompt", settings.text("selectorPrompt"), settings.at("selectorPrompt"))
    if pattern == "MagenticOne":
        out.put("magenticOne.maxStalls", settings.number("maxStalls"), settings.at("maxStalls"))
        out.put("magenticOne.finalAnswerPrompt", settings.text("finalAnswerPrompt"), settings.at("finalAnswerPrompt"))


def _condition(fields: Fields) -> dict[str, Any] | None:
    """All conditions that are given; several were an `or` in all that kagent meant by it."""
    found = []
    for name, (kind, options) in _CONDITIONS.items():
        if name in fields.data and fields.data[name] is not None:
            given = fields.below(name)
            values = {ours: given.take(theirs) for theirs, ours in options.items() if given.has(theirs)}
            fields.take(name) if not options else None
            found.append({"type": kind} | values)
            if name == "finalTextMessageTermination":
                message = "any text message of the source ends the run, not its final one only"
                fields.resource.warn(message, fields.at(name))
    for item in fields.below("orTermination").each("conditions"):
        inner = _condition(item)
        found += inner["anyOf"] if inner and "anyOf" in inner else [inner] if inner else []
    if len(found) > 1 and not fields.has("orTermination"):
        message = "a Team may have one condition; several are read as: any of them"
        fields.resource.warn(message, fields.location)
    return found[0] if len(found) == 1 else {"anyOf": found} if found else None


_CONDITIONS: dict[str, tuple[str, dict[str, str]]] = {
    "maxMessageTermination": ("MaxMessage", {"maxMessages": "maxMessages"}),
    "textMentionTermination": ("TextMention", {"text": "text"}),
    "textMessageTermination": ("TextMessage", {"source": "source"}),
    "finalTextMessageTermination": ("TextMessage", {"source": "source"}),
    "stopMessageTermination": ("StopMessage", {}),
}
