"""An Agent to AutoGen's AssistantAgent and the tools it is granted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from kagent_render.catalog.base import (
    Component,
    Contribution,
    Endpoint,
    LoweredTool,
    Problem,
    ServerContainer,
    component,
)
from kagent_render.catalog.tools.registry import TOOL_TYPES
from kagent_render.diagnostics import Diagnostics
from kagent_render.lower import agent_parts
from kagent_render.lower.model import model_client
from kagent_render.lower.names import TOOL_LABEL, autogen_id
from kagent_render.resolve import AgentNode, ToolNode

_ASK_USER = {
    "target": "user",
    "description": "Ask the user, and wait for the answer. Say before what you need to know.",
    "name": "transfer_to_user",
    "message": "Waiting for the user.",
}
# Problems that a field makes by being there, or by what is not in it: its name is shown, not its whole value.
_AT_THE_KEY = {"KR102", "KR107", "KR350", "KR352", "KR382"}
# What every model provider accepts; the runtime offers a tool under this name.
_TOOL_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?\Z")


def check_tools(tools: Sequence[ToolNode], diagnostics: Diagnostics) -> bool:
    """Report the defects of tool declarations at their documents; whether there were none."""
    errors = diagnostics.error_count
    for tool in tools:
        if tool.document and not _TOOL_NAME.match(tool.declaration.name):
            help = "wanted: lower-case letters, digits and `-`, at most 64 characters"
            place = tool.document.span_of(("metadata", "name"))
            diagnostics.add("KR105", f"a model cannot call `{tool.declaration.name}`", place, help=help)
        for problem in _problems(tool):
            location = ("spec", *problem.location)
            span = problem.span or (tool.document.span_of(location) if tool.document else None)
            if tool.document and problem.span is None and problem.code in _AT_THE_KEY:
                span = tool.document.key_span_of(location)
            is_sensitive = problem.code == "KR106"
            diagnostics.add(problem.code, problem.message, span, help=problem.help, sensitive=is_sensitive)
    return diagnostics.error_count == errors


def _problems(tool: ToolNode) -> Iterator[Problem]:
    for name in tool.declaration.blocks:
        if name != tool.type:
            help = f"remove it, or write `type: {name}`"
            yield Problem("KR350", f"`{name}` is not the block of a Tool of type {tool.type}", (name,), help)
    yield from TOOL_TYPES[tool.type].check(tool.declaration)


def lower_tools(agent: AgentNode) -> list[LoweredTool]:
    """The agent's tools, in the order of the spec."""
    return [lower_tool(tool) for tool in agent.tools]


def lower_tool(tool: ToolNode) -> LoweredTool:
    """The tool, with the address of what it calls where these specs decide that."""
    lowered = TOOL_TYPES[tool.type].lower(tool.declaration)
    if tool.served is not None and lowered.server is not None and not lowered.server.is_sidecar:
        return _at_its_server(lowered, lowered.server, tool.served.namespace)
    if tool.asked is None or tool.asked.endpoint is None:
        return lowered
    needs = Contribution(endpoints=frozenset({tool.asked.endpoint}))
    address: dict[str, Any] = {"url": tool.asked.url, "is_ours": True}
    if tool.asked.token_file:
        address["token_file"] = tool.asked.token_file
    return replace(lowered, config=lowered.config | address, needs=lowered.needs | needs)


def _at_its_server(lowered: LoweredTool, server: ServerContainer, namespace: str | None) -> LoweredTool:
    host = f"{server.name}.{namespace}.svc.cluster.local" if namespace else server.name
    endpoint = Endpoint(host, server.port, "http", pods=((TOOL_LABEL, server.name),))
    needs = Contribution(endpoints=frozenset({endpoint}))
    return replace(lowered, config=lowered.config | {"url": server.url_at(host)}, needs=lowered.needs | needs)


def assistant(agent: AgentNode, handoffs: Sequence[AgentNode] = (), *, asks_user: bool = False) -> Component:
    """The AssistantAgent. All of its required config keys are given: AutoGen has no defaults for them."""
    tools = lower_tools(agent)
    config: dict[str, Any] = {
        "name": autogen_id(agent.metadata.name),
        "description": agent.spec.description,
        "model_client": agent_parts.answering(model_client(agent.model), agent.spec),
    }
    if tools:
        config["workbench"] = _workbenches(tools)
    if handoffs or asks_user:
        config["handoffs"] = [*(_handoff(target) for target in handoffs), *([_ASK_USER] if asks_user else [])]
    if memory := agent_parts.memory(agent):
        config["memory"] = memory
    if context := agent_parts.context(agent.spec):
        config["model_context"] = context
    return component(
        "autogen_agentchat.agents.AssistantAgent",
        "agent",
        config
        | {
            "system_message": agent.spec.system_message or "",
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
