"""The events of a conversation as they are stored and sent: engine events with their type, run and time."""

from __future__ import annotations

from typing import Any

from kagent_runtime.engine import (
    ApprovalDecided,
    ApprovalRequested,
    Delta,
    EngineEvent,
    Handoff,
    Message,
    Notice,
    SpeakerSelected,
    ToolCall,
    ToolResult,
    Usage,
)
from kagent_runtime.store import Event, now


def event(type: str, run_id: str, **fields: Any) -> Event:
    """An event of a run, now."""
    return {"type": type, "runId": run_id, "at": now(), **fields}


def finished(run_id: str, outcome: str, reason: str | None, usage: Usage, error: dict[str, str] | None) -> Event:
    """The last event of a run."""
    fields = {"outcome": outcome, "stopReason": reason, "error": error, "usage": _tokens(usage)}
    return event("run.finished", run_id, **fields)


def _tokens(usage: Usage | None) -> dict[str, Any] | None:
    if usage is None:
        return None
    tokens = {"promptTokens": usage.prompt, "completionTokens": usage.completion}
    return tokens | ({"cost": float(usage.cost), "currency": usage.currency} if usage.cost is not None else {})


def as_event(run_id: str, item: EngineEvent) -> Event:
    """The event that tells of this. Raises TypeError for Finished, which the session ends with."""
    match item:
        case Delta(message_id, agent, content):
            return event("message.delta", run_id, messageId=message_id, agent=agent, content=content)
        case SpeakerSelected(agent):
            return event("speaker.selected", run_id, agent=agent)
        case Message(message_id, agent, content, usage, output):
            said: dict[str, Any] = {"messageId": message_id, "agent": agent, "content": content}
            answer = {"output": output} if output is not None else {}
            return event("message", run_id, **said, **answer, usage=_tokens(usage))
        case ToolCall() | ToolResult():
            return _tool(run_id, item)
        case ApprovalRequested() | ApprovalDecided():
            return _approval(run_id, item)
        case Notice(content):
            return event("notice", run_id, content=content)
        case Handoff(agent, target, content):
            return event("handoff", run_id, agent=agent, target=target, content=content)
    raise TypeError(type(item).__name__)


def _approval(run_id: str, item: ApprovalRequested | ApprovalDecided) -> Event:
    about = {"callId": item.call_id, "agent": item.agent, "name": item.name}
    if isinstance(item, ApprovalRequested):
        about |= {"preview": item.preview} if item.preview is not None else {}
        return event("approval.requested", run_id, **about, arguments=item.arguments, expiresAt=item.expires_at)
    return event("approval.decided", run_id, **about, decision=item.decision, by=item.by, reason=item.reason)


def _tool(run_id: str, item: ToolCall | ToolResult) -> Event:
    about = {"callId": item.call_id, "agent": item.agent, "name": item.name}
    if isinstance(item, ToolCall):
        return event("tool.call", run_id, **about, arguments=item.arguments)
    return event("tool.result", run_id, **about, content=item.content, isError=item.is_error)
