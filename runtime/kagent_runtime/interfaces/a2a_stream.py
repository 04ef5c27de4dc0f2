"""A run as the updates of an A2A task: the answer as an artifact that grows, everything else as statuses."""

from __future__ import annotations

import time
from collections.abc import Iterator

from a2a.types import TaskArtifactUpdateEvent, TaskState, TaskStatus, TaskStatusUpdateEvent
from google.protobuf.timestamp_pb2 import Timestamp

from kagent_runtime.interfaces.a2a_tasks import Matter, output_of
from kagent_runtime.interfaces.turns import asks_user
from kagent_runtime.interfaces.view import ChatView
from kagent_runtime.store import Event

Update = TaskArtifactUpdateEvent | TaskStatusUpdateEvent
_FLUSH_SECONDS = 0.05  # every update of an artifact adds a part to it: tokens are put together


class Updates:
    """Turns the events of one run into updates. Of pieces, one is always held back, so that the last is known."""

    def __init__(self, matter: Matter, *, is_joining: bool) -> None:
        self._matter, self._run = matter, list(matter.runs[-1])
        self._run_id = matter.last_run_id
        self._view = ChatView(is_live=matter.is_live, is_joining=is_joining)
        for event in self._run:
            self._view.see(event)
        self._held, self._is_begun, self._flushed_at = "", bool(self._view.content), time.monotonic()

    def of(self, event: Event) -> Iterator[Update]:
        """The updates that an event makes; none that is in the task already."""
        if event["type"] == "message.delta":
            if self._matter.is_live:  # a member's message is told when it is whole
                yield from self._shown(event)
        elif event["seq"] > self._run[-1]["seq"]:
            self._run.append(event)
            is_final = event["type"] == "run.finished"
            if not (is_final and asks_user(self._run)):
                yield from self._shown(event)
            if is_final:
                yield from self._flush(is_last=True)
                yield self.status(self._matter.status_of(self._run))

    def _shown(self, event: Event) -> Iterator[Update]:
        for kind, text in self._view.see(event):
            if kind == "content":
                yield from self._grow(text)
            else:
                yield from self._flush()
                yield self._told(event, text)

    def _grow(self, text: str) -> Iterator[Update]:
        if time.monotonic() - self._flushed_at > _FLUSH_SECONDS:
            yield from self._flush()
        self._held += text

    def _flush(self, *, is_last: bool = False) -> Iterator[Update]:
        if not self._held:
            return
        output = output_of(self._run) if is_last and not self._is_begun else None
        artifact = self._matter.answer(self._run_id, self._held, output)
        yield TaskArtifactUpdateEvent(
            task_id=self._matter.id,
            context_id=self._matter.context_id,
            artifact=artifact,
            append=self._is_begun,
            last_chunk=is_last,
        )
        self._held, self._is_begun, self._flushed_at = "", True, time.monotonic()

    def _told(self, event: Event, text: str) -> Update:
        """Activity, as a message beside the answer."""
        metadata = {"type": event["type"]} | {key: event[key] for key in ("agent", "name") if key in event}
        message = self._matter.message(f"{self._matter.id}-{event['seq']}", text.strip(), metadata)
        when = Timestamp()
        when.FromJsonString(event["at"])
        return self.status(TaskStatus(state=TaskState.TASK_STATE_WORKING, message=message, timestamp=when))

    def status(self, status: TaskStatus) -> Update:
        """A status of the task, as an update."""
        return TaskStatusUpdateEvent(task_id=self._matter.id, context_id=self._matter.context_id, status=status)
