"""Small component trees, and a workbench of one tool, for the tests of the replayed models."""

from typing import Any

from autogen_core import CancellationToken, Component
from autogen_core.tools import BaseTool
from pydantic import BaseModel

PODS = """NAME             READY   STATUS             RESTARTS      AGE
web-6b7c-aaaaa   1/1     Running            0             3d
web-9f8d-bbbbb   0/1     CrashLoopBackOff   4 (2m ago)    9m"""

Tree = dict[str, Any]


class ListPodsArguments(BaseModel):
    """The arguments of ListPods."""

    resource: str
    namespace: str | None = None


class ListPodsConfig(BaseModel):
    """ListPods has no settings."""


class ListPods(BaseTool[ListPodsArguments, str], Component[ListPodsConfig]):  # type: ignore[type-var]
    """A tool that always prints the same table."""

    component_config_schema = ListPodsConfig
    component_provider_override = "tests.runtime.demo.trees.ListPods"

    def __init__(self) -> None:
        super().__init__(ListPodsArguments, str, "list-things", "Lists things.")

    async def run(self, args: ListPodsArguments, cancellation_token: CancellationToken) -> str:
        """Print the table, for pods only."""
        return PODS if args.resource == "pods" else f"No {args.resource} found."

    def _to_config(self) -> ListPodsConfig:
        return ListPodsConfig()

    @classmethod
    def _from_config(cls, config: ListPodsConfig) -> "ListPods":
        return cls()


def node(provider: str, kind: str, config: Tree) -> Tree:
    """One component."""
    return {"provider": provider, "component_type": kind, "version": 1, "config": config}


def model() -> Tree:
    """A model as the compiler emits it."""
    config = {"name": "m", "provider": "OpenAI", "model": "gpt-4o", "base_url": None, "api_key_env": "KAGENT_M_API_KEY"}
    return node("kagent_runtime.components.ModelClient", "model", config)


def workbench() -> Tree:
    """A workbench with ListPods."""
    tool = node("tests.runtime.demo.trees.ListPods", "tool", {})
    return node("autogen_core.tools.StaticWorkbench", "workbench", {"tools": [tool]})


def agent(name: str, *, tools: bool = False, handoffs: tuple[str, ...] = (), prompt: str = "", loops: int = 10) -> Tree:
    """An agent as the compiler emits it."""
    config: Tree = {
        "name": name,
        "description": f"Does {name}",
        "model_client": model(),
        "handoffs": [_handoff(target) for target in handoffs],
        "system_message": prompt or f"You do {name}.\nAnd nothing else.",
        "model_client_stream": True,
        "reflect_on_tool_use": tools,
        "tool_call_summary_format": "{result}",
        "max_tool_iterations": loops,
        "metadata": {},
    }
    if tools:
        config["workbench"] = [workbench()]
    return node("autogen_agentchat.agents.AssistantAgent", "agent", config)


def _handoff(target: str) -> Tree:
    message = f"Handed over to {target}."
    return {"target": target, "description": message, "name": f"transfer_to_{target}", "message": message}


def team(pattern: str, *members: Tree, ending: Tree | None = None, max_turns: int = 20, name: str = "crew") -> Tree:
    """A team as the compiler emits it; pattern is RoundRobin, Selector or Swarm."""
    config: Tree = {"name": name, "description": "A crew", "participants": list(members), "max_turns": max_turns}
    if ending:
        config["termination_condition"] = ending
    if pattern == "Selector":
        config |= {"model_client": model(), "allow_repeated_speaker": False, "max_selector_attempts": 3}
        config["selector_prompt"] = "Roles:\n{roles}\n\nPick from {participants}.\n\n{history}\n\nOnly the name."
    suffix = "" if pattern == "Swarm" else "GroupChat"
    return node(f"autogen_agentchat.teams.{pattern}{suffix}", "team", config)


def mention(text: str, *sources: str) -> Tree:
    """The runtime's text condition."""
    return node("kagent_runtime.components.TextMention", "termination", {"text": text, "sources": list(sources)})


def either(*conditions: Tree) -> Tree:
    """Ends when one of the conditions does."""
    config = {"conditions": list(conditions)}
    return node("autogen_agentchat.base.OrTerminationCondition", "termination", config)


def at_most(messages: int) -> Tree:
    """Ends at a number of messages of the agents a, b and c."""
    config = {"max_messages": messages, "sources": ["a", "b", "c"]}
    return node("kagent_runtime.components.MaxMessage", "termination", config)
