"""`/api/v1/tasks`: put a task in the queue, and see what became of it."""

import json
import uuid
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from kagent_runtime.auth.identity import only_owner, owner
from kagent_runtime.problems import RESPONSES, problem
from kagent_runtime.storage.tasks import QUEUED, TaskRow
from kagent_runtime.work.source import Source, SourceUnavailableError
from kagent_runtime.work.task import MAX_MESSAGE, TaskError, metadata_of, read_task

router = APIRouter(prefix="/api/v1", responses=RESPONSES)


class NewTask(BaseModel):
    """A task. Two of one id are one task."""

    model_config = ConfigDict(extra="forbid")

    id: str | None = Field(default=None, min_length=1, max_length=128, pattern=r"^[0-9A-Za-z][0-9A-Za-z._:-]*$")
    session: str | None = Field(default=None, pattern=r"^[0-9a-zA-Z_-]{1,32}$")
    message: str = Field(min_length=1, max_length=MAX_MESSAGE)
    metadata: dict[str, Any] = Field(default_factory=dict)


class TaskView(BaseModel):
    """A task. `session` is where its turn is or was; `answer` the last text of the agent."""

    id: str
    state: Literal["queued", "running", "done", "failed", "dead"]
    outcome: str | None = None
    reason: str | None = None
    answer: str | None = None
    session: str | None = None
    runId: str | None = None
    deliveries: int
    finishedAt: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


def _view(row: TaskRow) -> TaskView:
    state: Any = row.state
    return TaskView(
        id=row.id, state=state, outcome=row.outcome, reason=row.reason, answer=row.answer, session=row.session_id,
        runId=row.run_id, deliveries=row.deliveries, finishedAt=row.finished_at, metadata=metadata_of(row.body),
    )  # fmt: skip


@router.post("/tasks", status_code=202)
async def create_task(request: Request, response: Response, body: NewTask) -> TaskView:
    """Put a task in the queue. The same id again answers with what became of it."""
    state = request.app.state
    if state.sessions.is_draining:
        raise problem(503, "the server is shutting down", {"Retry-After": "5"})
    id = body.id or uuid.uuid4().hex
    data = body.model_dump(exclude_defaults=True) | {"id": id}
    try:
        wanted = read_task(json.dumps(data), id)
    except TaskError as error:
        raise problem(422, str(error)) from None
    row = await state.store.tasks.put(id, json.dumps(data, ensure_ascii=False), owner())
    if not _is_mine(request, row):
        raise problem(409, f"there is a task `{id}` of another caller")
    if _differs(row, wanted.message):
        raise problem(409, f"there is a task `{id}` with another message")
    if row.state == QUEUED:
        await _enqueue(request, id, data)
    response.headers["Location"] = f"/api/v1/tasks/{id}"
    return _view(row)


def _is_mine(request: Request, row: TaskRow) -> bool:
    subject = request.app.state.worker.identity.subject if row.caller is None else row.caller
    return only_owner() in (None, subject)


def _differs(row: TaskRow, message: str) -> bool:
    try:
        return read_task(row.body, row.id).message != message
    except TaskError:
        return True


async def _enqueue(request: Request, id: str, data: dict[str, Any]) -> None:
    source: Source = request.app.state.worker.source
    try:
        await source.enqueue(id, data)
    except SourceUnavailableError:
        # The row stays `queued` when this fails too: the caller sends the task again, and it is put in then.
        await request.app.state.store.tasks.withdraw(id)
        raise problem(503, "the queue does not answer now", {"Retry-After": "2"}) from None


@router.get("/tasks/{id}")
async def get_task(request: Request, id: str) -> TaskView:
    """One task. Of a queue elsewhere (Redis) a task is known once it was put in here, or begun."""
    row = await request.app.state.store.tasks.find(id)
    if row is None or not _is_mine(request, row):
        raise problem(404, f"there is no task `{id[:64]}`")
    return _view(row)
