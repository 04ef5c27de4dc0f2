"""Memory, context, answer form and approvals of an agent: the parts of its component beside model and tools."""

from __future__ import annotations

from typing import Any

from kagent_render.catalog.base import Component, LoweredTool, component
from kagent_render.diagnostics import Diagnostics
from kagent_render.lower.model import model_client, provider_of
from kagent_render.resolve import AgentNode, Graph, TeamNode
from kagent_render.specs.agent import AgentSpec
from kagent_render.specs.agent_context import BufferedContext, HeadAndTailContext

APPROVAL_EXPIRY_SECONDS = 900


def memory(agent: AgentNode) -> list[Component]:
    """One memory of all facts, and one of the texts to look up. Our own: AutoGen's add again in every turn."""
    facts = [text for item in agent.spec.memory if item.type == "List" for text in item.contents]
    found = [component("kagent_runtime.components.ListMemory", "memory", {"contents": facts})] if facts else []
    if (memory := agent.spec.vector_memory) and agent.memory_model:
        config = {
            "model_client": model_client(agent.memory_model),
            "contents": list(memory[1].contents),
            "results": memory[1].results,
            "min_score": memory[1].min_score,
        }
        found.append(component("kagent_runtime.components.VectorMemory", "memory", config))
    return found


def check_memory(agent: AgentNode, diagnostics: Diagnostics) -> None:
    """KR345: the provider of the vectors has none."""
    if agent.memory_model is None or provider_of(agent.memory_model).has_embeddings:
        return
    index, _ = agent.spec.vector_memory or (0, None)
    name = agent.memory_model.spec.provider_name
    span = agent.document.span_of(("spec", "memory", index, "modelConfigRef", "name"))
    help = "name a ModelConfig of OpenAI, AzureOpenAI, Gemini, Ollama or an OpenAI-compatible server"
    diagnostics.add("KR345", f"{name} serves no embeddings", span, help=help)


def context(spec: AgentSpec) -> Component | None:
    """The model context; None for AutoGen's default, which is unbounded.

    Our own classes: AutoGen's lose the task, and drop a tool's result whose call is just outside the window.
    """
    match spec.context:
        case BufferedContext(messages=messages):
            config = {"messages": messages}
            return component("kagent_runtime.components.BufferedContext", "chat_completion_context", config)
        case HeadAndTailContext(head=head, tail=tail):
            config = {"head": head, "tail": tail}
            return component("kagent_runtime.components.HeadAndTailContext", "chat_completion_context", config)
    return None


def answering(client: Component, spec: AgentSpec) -> Component:
    """The model client, wrapped when the answer has to be JSON of a shape.

    AutoGen's own structured output fails in teams (upstream #6795), and is not told apart from a tool's turn.
    """
    if spec.output_schema is None:
        return client
    config = {"model_client": client, "output_schema": spec.output_schema.json_schema()}
    return component("kagent_runtime.components.StructuredOutput", "model", config)


def approvals(agent: AgentNode, tools: list[LoweredTool]) -> list[str]:
    """The names, as the model calls them, of the tools that need a person's approval."""
    return [name for tool in tools if needs_approval(agent, tool) for name in tool.offers or (tool.name,)]


def needs_approval(agent: AgentNode, tool: LoweredTool) -> bool:
    """Whether a person has to approve every call that the agent makes of a tool."""
    said = {grant.name: grant.require_approval for grant in agent.spec.tools}.get(tool.name)
    return not tool.is_approved_by_default if said is None else said


def run_settings(node: AgentNode | TeamNode, agents: list[dict[str, Any]]) -> dict[str, Any]:
    """`limits` and `approvals` of the envelope, where there are any."""
    limits = node.spec.limits.bounds()
    needs_approval = any("requiresApproval" in agent for agent in agents)
    settings: dict[str, Any] = {"limits": limits} if limits else {}
    return settings | ({"approvals": {"expirySeconds": APPROVAL_EXPIRY_SECONDS}} if needs_approval else {})


def check_limits(graph: Graph, diagnostics: Diagnostics) -> None:
    """KR343: bounds of a run stand where no run starts."""
    nodes: list[AgentNode | TeamNode] = [*graph.agents, *graph.teams]
    for node in nodes:
        teams = graph.teams_of(node)
        if not teams or node.spec.standalone:
            continue
        for field in node.spec.limits.bounds():
            span = node.document.key_span_of(("spec", "limits", field))
            message = f"`{field}` of `{node.metadata.name}` has no effect in the team `{teams[0].metadata.name}`"
            help = f"set it in the AgentTeam `{teams[0].metadata.name}`: it bounds the run of all members"
            diagnostics.add("KR343", message, span, help=help)
