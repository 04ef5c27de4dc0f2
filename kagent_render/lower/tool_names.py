"""The names under which a model calls the tools of one agent: each must mean one."""

from __future__ import annotations

from collections.abc import Iterator

from kagent_render.diagnostics import Diagnostics, Label
from kagent_render.lower.agent import lower_tools
from kagent_render.lower.names import autogen_id
from kagent_render.resolve import AgentNode


def check_tool_names(agent: AgentNode, diagnostics: Diagnostics) -> None:
    """KR363: two tools of the agent that answer to one name. Only for an agent whose tools have no defects."""
    first = {f"transfer_to_{autogen_id(item.name)}": ("handoffs", i) for i, item in enumerate(agent.spec.handoffs)}
    for name, place in _offered(agent):
        other = first.setdefault(name, place)
        if other != place:
            span = agent.document.span_of(("spec", *place, "name"))
            label = Label(agent.document.span_of(("spec", *other, "name")), "the other one")
            message = f"two tools of `{agent.metadata.name}` are called `{name}`"
            help = "take one of them away, or leave the name out of its `tools`"
            diagnostics.add("KR363", message, span, labels=[label], help=help)


def _offered(agent: AgentNode) -> Iterator[tuple[str, tuple[str, int]]]:
    granted = [item.name for item in agent.spec.tools]
    for index, tool in enumerate(lower_tools(agent)[: len(granted)]):  # those of sets follow, and are like no other
        if granted[index] in granted[:index]:
            continue  # granted twice, which is a defect of its own: KR204
        for name in tool.offers or (tool.name,):
            yield name, ("tools", index)
