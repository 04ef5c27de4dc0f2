"""An Agent to AutoGen's AssistantAgent and the tools it is granted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kagent_render.catalog.base import Component, LoweredTool, component
from kagent_render.catalog.tools.registry import TOOL_TYPES
from kagent_render.diagnostics import Diagnostics
from kagent_render.lower.model import model_client
from kagent_render.lower.names import autogen_id
from kagent_render.resolve import AgentNode, ToolNode

_ASK_USER = {
    "target": "user",
    "description": "Ask the user, and wait for the answer. Say before what you need to know.",
    "name": "transfer_to_user",
    "message": "Waiting for the user.",
}


def check_tools(tools: Sequence[ToolNode], diagnostics: Diagnostics) -> bool:
    """Report the defects of tool declarations at their documents; whether there were none."""
    healthy = True
    for tool in tools:
        for problem in TOOL_TYPES[tool.type].check(tool.declaration):
            healthy = False
            span = tool.document.span_of(("spec", *problem.location)) if tool.document else None
            if tool.document and problem.code in ("KR107", "KR102"):
                span = tool.document.key_span_of(("spec", *problem.location))
            diagnostics.add(problem.code, problem.message, span, help=problem.help)
    return healthy


def lower_tools(agent: AgentNode) -> list[LoweredTool]:
    """The agent's tools, in the order of the spec."""
    return [TOOL_TYPES[tool.type].lower(tool.declaration) for tool in agent.tools]


def assistant(agent: AgentNode, handoffs: Sequence[AgentNode] = (), *, asks_user: bool = False) -> Component:
    """The AssistantAgent. All of its required config keys are given: AutoGen has no defaults for them."""
    tools = lower_tools(agent)
    config: dict[str, Any] = {
        "name": autogen_id(agent.metadata.name),
        "description": agent.spec.description,
        "model_client": model_client(agent.model),
    }
    if tools:
        config["workbench"] = _workbenches(tools)
    if handoffs or asks_user:
        config["handoffs"] = [*(_handoff(target) for target in handoffs), *([_ASK_USER] if asks_user else [])]
    return component(
        "autogen_agentchat.agents.AssistantAgent",
        "agent",
        config
        | {
            "system_message": agent.spec.system_message,
            "model_client_stream": True,
            # Without reflection the answer at the last iteration would be the raw output of a tool.
            "reflect_on_tool_use": bool(tools),
            "tool_call_summary_format": "{result}",
            "max_tool_iterations": agent.spec.limits.tool_iterations,
            "metadata": {},
        },
    )


def _workbenches(tools: Sequence[LoweredTool]) -> list[Component]:
    types = sorted({tool.type for tool in tools})
    return [TOOL_TYPES[name].workbench([tool for tool in tools if tool.type == name]) for name in types]


def _handoff(target: AgentNode) -> dict[str, str]:
    # Always an object: AutoGen 0.7.5 crashes on handoffs given as strings.
    id = autogen_id(target.metadata.name)
    return {
        "target": id,
        "description": f"Hand the conversation over to {id}: {target.spec.description}",
        "name": f"transfer_to_{id}",
        "message": f"Handed over to {id}.",
    }
