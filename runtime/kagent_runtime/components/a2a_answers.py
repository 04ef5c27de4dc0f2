"""What has become of a question to another agent, as text for a model.

Source: A2A 1.0, "TaskState", "Part", "Streaming"; kagent's documentation of its extension for approvals.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from a2a.types import Artifact, Message, Part, Role, StreamResponse, Task, TaskState, TaskStatus
from google.protobuf.json_format import MessageToDict

from kagent_runtime.a2a_sdk import as_sent
from kagent_runtime.components import texts
from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.interfaces.a2a_card import APPROVALS_EXTENSION

_COMPLETED, _ASKS = TaskState.TASK_STATE_COMPLETED, TaskState.TASK_STATE_INPUT_REQUIRED
_WANTS_LOGIN = TaskState.TASK_STATE_AUTH_REQUIRED
# What nothing follows unless the client does something.
_AT_REST = {
    _COMPLETED: "completed",
    TaskState.TASK_STATE_FAILED: "failed",
    TaskState.TASK_STATE_CANCELED: "was cancelled",
    TaskState.TASK_STATE_REJECTED: "was rejected",
    _ASKS: "waits for an answer",
    _WANTS_LOGIN: "waits for credentials",
}
_PART_CHARACTERS = 2000  # of what is told beside a failure


class Progress:
    """A task, or the message that came instead of one. Of its artifacts no more than `limit` characters are kept."""

    def __init__(self, limit: int) -> None:
        self.task_id = ""
        self._status = TaskStatus()
        self._reply: Message | None = None
        self._artifacts: dict[str, str] = {}
        self._limit = self._room = limit

    def see(self, told: StreamResponse) -> None:
        """Take in one event of a stream, or one answer."""
        if told.HasField("task"):
            self.see_task(told.task)
        elif told.HasField("message"):
            self._reply = told.message
        elif told.HasField("status_update"):
            self.task_id = told.status_update.task_id or self.task_id
            self._status = told.status_update.status
        elif told.HasField("artifact_update"):
            self.task_id = told.artifact_update.task_id or self.task_id
            self._add(told.artifact_update.artifact, is_more=told.artifact_update.append)

    def see_task(self, task: Task) -> None:
        """Take in a task as it is now, in place of all that was told of it."""
        self.task_id, self._status = task.id, task.status
        self._artifacts, self._room = {}, self._limit
        for artifact in task.artifacts:
            self._add(artifact, is_more=False)
        if not self._artifacts and not self._status.HasField("message"):
            said = [message for message in task.history if message.role == Role.ROLE_AGENT]
            self._status.message.MergeFrom(said[-1] if said else Message())

    def _add(self, artifact: Artifact, *, is_more: bool) -> None:
        before = self._artifacts.get(artifact.artifact_id, "") if is_more else ""
        # The pieces of a stream are parts: put together without anything between them.
        piece = _joined(artifact.parts, "")[: max(self._room, 0)]
        self._room -= len(piece)
        self._artifacts[artifact.artifact_id] = before + piece

    @property
    def is_known(self) -> bool:
        """Whether the question arrived."""
        return bool(self.task_id) or self._reply is not None

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing follows."""
        return self._reply is not None or self._status.state in _AT_REST

    @property
    def is_open(self) -> bool:
        """Whether there is something over there that only waits."""
        return self._status.state in (_ASKS, _WANTS_LOGIN)

    def answer(self) -> str:
        """The answer. Raises ToolFailureError, for a task that did not complete."""
        if self._reply is not None:
            return _joined(self._reply.parts, "\n") or "The agent answered with an empty message."
        told, text = _joined(self._status.message.parts, "\n"), self._text()
        if self._status.state == _COMPLETED:
            return text or told or "The agent ended its task without saying anything."
        if self._status.state == _ASKS:
            raise ToolFailureError(_question(self._status.message, told))
        if self._status.state == _WANTS_LOGIN:
            told = f"{told or 'It does not say which'} (nothing here can give them, so its task was ended)"
        before = f" Before, it said: {texts.one_line(text, _PART_CHARACTERS)}" if text else ""
        reason = texts.one_line(told or "it does not say why", _PART_CHARACTERS)
        raise ToolFailureError(f"the agent's task {_AT_REST[self._status.state]}: {reason}.{before}")

    def _text(self) -> str:
        return "\n\n".join(text for text in self._artifacts.values() if text.strip())


def _question(message: Message, told: str) -> str:
    """Why a task waits, and what may be done about it from here: its person is not the one of this conversation."""
    if calls := _held_calls(message):
        return (
            f"the agent may go on only when a person approves its call of {'; '.join(calls)}. Nobody can from here, so "
            "its task was ended, and the call was not made. Ask for something that needs no approval, or say what waits"
        )
    question = texts.one_line(told or "it does not say what", _PART_CHARACTERS)
    return (
        f"the agent asks: {question}\nIts task was ended. Ask again, with the answer and all else that it needs in "
        "the new task; it remembers nothing of this one"
    )


def _held_calls(message: Message) -> list[str]:
    """The calls that wait for an approval, from the extension's metadata or a data part."""
    given: list[Any] = [MessageToDict(message.metadata).get(APPROVALS_EXTENSION)]
    given += [MessageToDict(part.data) for part in message.parts if part.HasField("data")]
    return [_call(call) for request in given for call in _calls_of(request)]


def _calls_of(request: Any) -> list[dict[str, Any]]:
    if not isinstance(request, dict) or request.get("type") != "tool_approval_request":
        return []
    tools = request.get("tools")
    return [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []


def _call(call: dict[str, Any]) -> str:
    arguments = json.dumps(as_sent(call.get("args")), ensure_ascii=False)
    return f"`{texts.one_line(str(call.get('name')), 100)}` with {texts.one_line(arguments, _PART_CHARACTERS)}"


def _joined(parts: Iterable[Part], between: str) -> str:
    """Text as it is, data as JSON; what else there is by its name."""
    found, was_text = "", True
    for part in parts:
        is_text = part.HasField("text")
        gap = between if is_text and was_text else "\n"
        found += (gap if found else "") + (part.text if is_text else _shown(part))
        was_text = is_text
    return found


def _shown(part: Part) -> str:
    if part.HasField("data"):
        return json.dumps(as_sent(MessageToDict(part.data)), ensure_ascii=False, indent=2)
    what = " ".join(filter(None, [part.filename, f"({part.media_type})" if part.media_type else ""]))
    if part.HasField("url"):
        return f"[file {what or 'without a name'} at {texts.one_line(part.url, 300)}, not fetched]"
    return f"[file {what or 'without a name'}, {len(part.raw):,} bytes, not shown]"
