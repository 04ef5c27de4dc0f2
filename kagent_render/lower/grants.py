"""The tools that an agent is granted: one that changes the cluster waits for a person, or says why it does not."""

from __future__ import annotations

from kagent_render.diagnostics import Diagnostics
from kagent_render.lower.agent import lower_tools
from kagent_render.resolve import AgentNode


def check_grants(agent: AgentNode, diagnostics: Diagnostics) -> None:
    """KR369 and KR104: no approval and no reason, or a reason for nothing. Only for tools without defects."""
    tools = {tool.name: tool for tool in lower_tools(agent)}
    for index, grant in enumerate(agent.spec.tools):
        place = ("spec", "tools", index)
        is_waived = grant.require_approval is False and not tools[grant.name].is_approved_by_default
        if is_waived and grant.reason is None:
            message = f"nobody approves what `{agent.metadata.name}` changes with `{grant.name}`"
            help = "remove `requireApproval: false`, or say why beside it: `reason: ...`"
            span = agent.document.span_of((*place, "requireApproval"))
            diagnostics.add("KR369", message, span, help=help)
        elif grant.reason is not None and not is_waived:
            help = "it says why a tool that changes the cluster has `requireApproval: false`"
            span = agent.document.key_span_of((*place, "reason"))
            diagnostics.add("KR104", f"`reason` has no effect for `{grant.name}`", span, help=help)
