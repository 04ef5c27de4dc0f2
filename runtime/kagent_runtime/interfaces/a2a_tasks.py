"""A conversation's log as A2A tasks. Nothing is stored for the protocol: a task is read from the log each time.

A task is a run of ours, or several: a run that ended by asking the user waits for input, and the next run of the
session goes on with the same task. Task and context ids are those of run and session, in the form of UUIDs.
Source: A2A 1.0, "Task", "TaskState", "Life of a Task".
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from a2a.types import Artifact, Message, Part, Role, Task, TaskState, TaskStatus
from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import Value
from google.protobuf.timestamp_pb2 import Timestamp

from kagent_runtime.interfaces.a2a_card import APPROVALS_EXTENSION
from kagent_runtime.interfaces.turns import answer_of, asks_user, failure_of, of_run, waiting_calls
from kagent_runtime.interfaces.view import ChatView, approval_question
from kagent_runtime.store import Event

OVER = {TaskState.TASK_STATE_COMPLETED, TaskState.TASK_STATE_FAILED, TaskState.TASK_STATE_CANCELED}
_STATES = {"completed": TaskState.TASK_STATE_COMPLETED, "cancelled": TaskState.TASK_STATE_CANCELED}


def outer(id: str) -> str:
    """An id of ours as others see it."""
    return str(uuid.UUID(id))


def inner(id: str) -> str | None:
    """An id of theirs as we have it; None when it is no UUID."""
    try:
        return uuid.UUID(id).hex
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Matter:
    """The runs of one task, the events of each in order."""

    session_id: str
    runs: list[list[Event]]
    is_live: bool

    @property
    def id(self) -> str:
        """The task's id."""
        return outer(self.runs[0][0]["runId"])

    @property
    def context_id(self) -> str:
        """The context's id."""
        return outer(self.session_id)

    @property
    def last_run_id(self) -> str:
        """The run that goes on, or was the last."""
        return str(self.runs[-1][0]["runId"])

    def status(self) -> TaskStatus:
        """Where the task stands."""
        return self.status_of(self.runs[-1])

    def status_of(self, run: list[Event]) -> TaskStatus:
        """Where the task stands after these events of its last run."""
        final = run[-1] if run[-1]["type"] == "run.finished" else None
        waiting = waiting_calls(run)
        if waiting:
            return self._status(TaskState.TASK_STATE_INPUT_REQUIRED, run[-1]["at"], self._approvals(waiting))
        if final is None:
            return self._status(TaskState.TASK_STATE_WORKING, run[-1]["at"])
        if asks_user(run):
            asked = self.message(f"{self.id}-{final['seq']}", answer_of(run))
            return self._status(TaskState.TASK_STATE_INPUT_REQUIRED, final["at"], asked)
        state = _STATES.get(final["outcome"], TaskState.TASK_STATE_FAILED)
        told = None if final["outcome"] == "completed" else self.message(f"{self.id}-end", failure_of(final))
        return self._status(state, final["at"], told)

    def task(self, history_length: int | None = None) -> Task:
        """The task as it is now, with at most so many messages of its history."""
        history = [message for run in self.runs for message in self._talk(run)]
        if history_length is not None:
            history = history[-history_length:] if history_length else []
        artifacts = [artifact for run in self.runs if (artifact := self._artifact(run)) is not None]
        status = self.status()
        return Task(id=self.id, context_id=self.context_id, status=status, history=history, artifacts=artifacts)

    def message(self, id: str, text: str, metadata: dict[str, Any] | None = None) -> Message:
        """A message of the agent about this task."""
        message = Message(message_id=id, role=Role.ROLE_AGENT, parts=[Part(text=text)])
        message.task_id, message.context_id = self.id, self.context_id
        if metadata:
            ParseDict(metadata, message.metadata)
        return message

    def answer(self, run_id: str, text: str, output: Any = None) -> Artifact:
        """A run's answer, or a piece of it: one artifact a run. `output` is the answer as data, if it is JSON."""
        part = Part(text=text, media_type="text/plain")
        if output is not None:
            part = Part(data=ParseDict(output, Value()), media_type="application/json")
        return Artifact(artifact_id=f"answer-{run_id}", name="answer", parts=[part])

    def _artifact(self, run: list[Event]) -> Artifact | None:
        """What the run has answered so far; a question to the user is the task's status instead."""
        if asks_user(run):
            return None
        view = ChatView(is_live=self.is_live)
        for event in run:
            view.see(event)
        return self.answer(run[0]["runId"], view.content, output_of(run)) if view.content else None

    def _talk(self, run: list[Event]) -> list[Message]:
        """What the user said, and of a run that others followed what it asked."""
        sent = [event for event in run if event["type"] == "message.user"]
        said = [self.message(outer(event["runId"]), event["content"]) for event in sent]
        for message in said:
            message.role = Role.ROLE_USER
        if run is not self.runs[-1]:
            said.append(self.message(f"{self.id}-{run[-1]['seq']}", answer_of(run)))
        return said

    def _approvals(self, waiting: list[Event]) -> Message:
        """Asks for decisions. Source: kagent's documentation of the extension, `tool_approval_request`."""
        tools = [
            {"id": call["callId"], "call_id": call["callId"], "name": call["name"], "args": call["arguments"]}
            for call in waiting
        ]
        request = {"type": "tool_approval_request", "hint": approval_question(waiting), "tools": tools}
        id = f"{self.id}-{waiting[-1]['seq']}"
        message = self.message(id, str(request["hint"]), {APPROVALS_EXTENSION: request})
        message.extensions.append(APPROVALS_EXTENSION)
        return message

    def _status(self, state: TaskState, at: str, message: Message | None = None) -> TaskStatus:
        when = Timestamp()
        when.FromJsonString(at)
        return TaskStatus(state=state, timestamp=when, message=message)


def output_of(run: Iterable[Event]) -> Any:
    """The last message of a run as data, if it is JSON."""
    last = None
    for event in run:
        last = event if event["type"] == "message" else last
    return last.get("output") if last else None


def matters(session_id: str, events: Iterable[Event], *, is_live: bool) -> list[Matter]:
    """All tasks of a session, in order. `is_live`: all that is written is the answer."""
    events = list(events)
    found: list[Matter] = []
    for run_id in dict.fromkeys(event["runId"] for event in events):
        run = of_run(events, run_id)
        if found and asks_user(found[-1].runs[-1]):
            found[-1].runs.append(run)
        else:
            found.append(Matter(session_id, [run], is_live))
    return found
