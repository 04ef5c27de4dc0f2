"""What a replayed model must know about its place in the component tree, and the rewrite that tells it."""

import copy
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

PROVIDER = "kagent_runtime.demo.replay.ReplayModel"
WORD_DELAY_MS = 12.0
_OUTSIDE = {
    f"kagent_runtime.components.{name}"
    for name in ("AgentTools", "GithubTools", "HttpTools", "McpTools", "PrometheusTools", "PythonTools")
}


class ToolFacts(BaseModel):
    """One declared tool: its schema, and for Kubernetes tools the resources it may read."""

    model_config = ConfigDict(extra="forbid")
    name: str
    operation: str | None = None
    description: str = ""
    parameters: dict[str, Any] = Field(default_factory=dict)
    resources: list[str] = Field(default_factory=list)


class Participant(BaseModel):
    """One participant of a team; `members` are the agents inside it (itself for an agent)."""

    model_config = ConfigDict(extra="forbid")
    name: str
    description: str = ""
    members: list[str]


class ReplayConfig(BaseModel):
    """The config of a ReplayModel."""

    model_config = ConfigDict(extra="forbid")
    role: Literal["agent", "selector", "orchestrator"] = "agent"
    agent: str = ""
    purpose: str = ""
    tools: list[ToolFacts] = Field(default_factory=list)
    # Tools that would call a real server: a replay has nothing to ask it, and it may not only read.
    outside: list[str] = Field(default_factory=list)
    participants: list[Participant] = Field(default_factory=list)
    handoffs: dict[str, str] = Field(default_factory=dict)  # tool name -> target
    handoff_graph: dict[str, list[str]] = Field(default_factory=dict)
    endings: dict[str, str] = Field(default_factory=dict)  # agent -> the text that ends its team
    last: bool = False
    say: str | None = None  # the text by which a graph goes on from this agent to its end
    avoid: list[str] = Field(default_factory=list)  # the texts by which it would go another way
    word_delay_ms: float = Field(default=WORD_DELAY_MS, ge=0)

    @property
    def ending(self) -> str | None:
        """The text by which this agent ends its team, if it may."""
        return self.endings.get(self.agent)


def with_replay_models(component: dict[str, Any], *, word_delay_ms: float = WORD_DELAY_MS) -> dict[str, Any]:
    """Return a copy of a valid component tree in which no model is called: each is a ReplayModel."""
    tree = copy.deepcopy(component)
    _rewrite(tree, [], word_delay_ms)
    return tree


def _rewrite(node: dict[str, Any], teams: list[dict[str, Any]], word_delay_ms: float) -> None:
    """`teams` are the teams around the node, outermost first."""
    config = node["config"]
    if node["component_type"] == "team":
        if "model_client" in config:
            role: Literal["selector", "orchestrator"] = "orchestrator" if "max_stalls" in config else "selector"
            facts = ReplayConfig(role=role, agent=config["name"], participants=_participants(config))
            config["model_client"] = _model(facts, word_delay_ms)
        for participant in config["participants"]:
            _rewrite(participant, [*teams, config], word_delay_ms)
    elif "model_client" in config:
        config["model_client"] = _model(_agent_facts(config, teams), word_delay_ms)
        # What is looked up by meaning needs a model too, and there is none.
        if memory := [item for item in config.get("memory") or () if "model_client" not in item["config"]]:
            config["memory"] = memory
        else:
            config.pop("memory", None)


def _model(facts: ReplayConfig, word_delay_ms: float) -> dict[str, Any]:
    facts.word_delay_ms = word_delay_ms
    return {"provider": PROVIDER, "component_type": "model", "version": 1, "config": facts.model_dump(mode="json")}


def _agent_facts(config: dict[str, Any], teams: list[dict[str, Any]]) -> ReplayConfig:
    name = config["name"]
    ending_team = next((team for team in reversed(teams) if _ending(team, name)), None)
    team = ending_team or (teams[-1] if teams else None)
    members = _members(team) if team else [name]
    say, avoid = graph_texts(teams[-1]["graph"], name) if teams and "graph" in teams[-1] else (None, [])
    return ReplayConfig(
        agent=name,
        purpose=_first_line(config.get("system_message")),
        tools=[_tool(tool) for bench in config.get("workbench") or [] for tool in _declared(bench)],
        outside=[name for bench in config.get("workbench") or [] for name in _outside(bench)],
        participants=_participants(team) if team else [],
        handoffs={handoff["name"]: handoff["target"] for handoff in config.get("handoffs") or []},
        handoff_graph=_handoff_graph(team) if team else {},
        endings={member: text for member in members if team and (text := _ending(team, member))},
        last=members[-1] == name,
        say=say,
        avoid=avoid,
    )


def _first_line(text: str | None) -> str:
    lines = [line.strip() for line in (text or "").splitlines() if line.strip()]
    return lines[0] if lines else ""


def _declared(workbench: dict[str, Any]) -> list[dict[str, Any]]:
    # Other workbenches declare tools as components; what they offer then arrives with create() anyway.
    return [tool for tool in workbench["config"].get("tools") or [] if "name" in tool]


def _outside(workbench: dict[str, Any]) -> list[str]:
    if workbench["provider"] not in _OUTSIDE:
        return []
    # An MCP server offers several tools, by names of its own.
    return [name for tool in _declared(workbench) for name in tool.get("allowed") or [tool["name"]]]


def _tool(tool: dict[str, Any]) -> ToolFacts:
    return ToolFacts(
        name=tool["name"],
        operation=tool.get("operation"),
        description=tool.get("description") or "",
        parameters=tool.get("parameters") or {},
        resources=[name.split(".")[0] for name in tool.get("resources") or []],
    )


def _participants(team: dict[str, Any]) -> list[Participant]:
    return [
        Participant(
            name=participant["config"]["name"],
            description=participant["config"].get("description") or "",
            members=_members(participant["config"]),
        )
        for participant in team["participants"]
    ]


def _members(config: dict[str, Any]) -> list[str]:
    """The agents of a team in order, nested teams flattened; for an agent the agent itself."""
    if "participants" not in config:
        return [config["name"]]
    return [member for participant in config["participants"] for member in _members(participant["config"])]


def _handoff_graph(team: dict[str, Any]) -> dict[str, list[str]]:
    configs = [participant["config"] for participant in team["participants"]]
    return {config["name"]: [handoff["target"] for handoff in config.get("handoffs") or []] for config in configs}


def graph_texts(graph: dict[str, Any], name: str) -> tuple[str | None, list[str]]:
    """What a node says to go the shortest way to an end, and what it must not say."""
    edges = graph["nodes"][name].get("edges") or []
    if not edges:
        return None, []
    chosen = min(edges, key=lambda edge: _steps_to_end(graph, edge["target"]))
    say = chosen.get("condition")
    return say, [text for edge in edges if (text := edge.get("condition")) and text != say]


def _steps_to_end(graph: dict[str, Any], start: str) -> int:
    steps, reached = 0, {start}
    while all(graph["nodes"][name].get("edges") for name in reached):
        after = {edge["target"] for name in reached for edge in graph["nodes"][name]["edges"]} | reached
        if after == reached:
            return len(graph["nodes"])  # no end on this way
        steps, reached = steps + 1, after
    return steps


def _ending(team: dict[str, Any], agent: str) -> str | None:
    condition = team.get("termination_condition")
    return _mention(condition, agent) if condition else None


def _mention(condition: dict[str, Any], agent: str) -> str | None:
    """The first text mention, depth first, that listens to this agent."""
    config = condition["config"]
    if "text" in config:
        sources = config.get("sources") or [agent]
        return str(config["text"]) if agent in sources else None
    texts = (_mention(inner, agent) for inner in config.get("conditions") or [])
    return next((text for text in texts if text), None)
