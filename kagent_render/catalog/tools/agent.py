"""Tool type `agent`: another agent or team, asked over A2A: one of these specs, or any other by its address."""

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from kagent_render.catalog.base import Component, Contribution, LoweredTool, Problem, component
from kagent_render.catalog.fields import Namespace, ServiceName, SpecModel, Text
from kagent_render.catalog.tools.base import Builtin, ToolDeclaration
from kagent_render.catalog.tools.operations import text
from kagent_render.catalog.tools.parameters import object_schema
from kagent_render.catalog.tools.urls import check_url, endpoint_of

NAME = "agent"
BUILTINS: dict[str, Builtin] = {}


class AgentBlock(SpecModel):
    """Whom to ask: an agent of these specs by name, or one outside them by URL."""

    name: ServiceName | None = Field(default=None, description="Name of an Agent or AgentTeam of these specs.")
    kind: Literal["Agent", "AgentTeam"] = Field(default="Agent", description="Which of the two it is.")
    namespace: Namespace | None = Field(default=None, description="Its namespace; default: that of the tool.")
    url: Text | None = Field(
        default=None,
        description="An A2A agent that these specs do not have: what its card's address begins with, or that address.",
    )
    timeout_seconds: float = Field(default=300, gt=0, le=3600, description="One question.")


def check(tool: ToolDeclaration) -> Iterable[Problem]:
    """Nobody named, or two."""
    block: AgentBlock | None = tool.block
    if block is None:
        yield Problem("KR102", "the block `agent` is missing", (), "add agent: {name: …}")
        return
    if tool.parameters is not None:
        message = "an agent is asked in words: its tool has the one argument `task`"
        yield Problem("KR365", message, ("parameters",), "remove `parameters`")
    if (block.name is None) == (block.url is None):
        found = "`name` and `url` both say" if block.name else "neither `name` nor `url` says"
        yield Problem("KR364", f"{found} whom to ask", ("agent",), "name an agent of these specs, or give a url")
    if block.url is not None:
        yield from check_url(block.url, ("agent", "url"), is_template=False, allows_private=True)


def lower(tool: ToolDeclaration) -> LoweredTool:
    """The question as the runtime asks it. Where the agent is, is filled in when the workload is known."""
    block: AgentBlock = tool.block
    config = {
        "name": tool.name,
        "description": tool.description or f"Ask the agent {block.name}.",
        "parameters": object_schema({"task": text("What is asked, with all that is needed to answer it")}, ["task"]),
        "url": (block.url or "").rstrip("/"),
        "timeout_seconds": float(block.timeout_seconds),
        "max_bytes": 65536,
    }
    endpoints = frozenset({endpoint_of(block.url, is_private=False)} if block.url else ())
    return LoweredTool(tool.name, NAME, config, needs=Contribution(endpoints=endpoints))


def workbench(tools: list[LoweredTool]) -> Component:
    """One workbench for all agents that an agent may ask."""
    return component("kagent_runtime.components.AgentTools", "workbench", {"tools": [tool.config for tool in tools]})
