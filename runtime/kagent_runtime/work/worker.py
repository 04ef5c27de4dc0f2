"""The loop that takes tasks from a queue and has each answered once, by a turn of its conversation.

A queue delivers at least once. The task's id is the key of its message, which the database accepts once, in the
transaction that begins the turn. Whoever gets the task again finds the turn, which the conversations carry over the
death of a process by themselves, and waits for its end.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from kagent_runtime.auth.identity import ANONYMOUS, CALLER, Identity
from kagent_runtime.interfaces.turns import answer_of, failure_of, of_run
from kagent_runtime.model.queue import Queue
from kagent_runtime.sessions import Busy, Draining, NoSessionError, Overloaded, Sessions
from kagent_runtime.storage.errors import DuplicateMessage, StoreUnavailableError
from kagent_runtime.storage.ownership import OPEN
from kagent_runtime.storage.tasks import DEAD, DONE, FAILED, Result, TaskStore
from kagent_runtime.store import Store
from kagent_runtime.work import telemetry
from kagent_runtime.work.source import Delivery, Source, SourceUnavailableError
from kagent_runtime.work.task import Task, TaskError, read_task

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.2
_DEPTH_SECONDS = 5.0
_AGAIN_SECONDS = 5.0
_STOP_SECONDS = 3.0
_DELETIONS = 3
_AWAY = (SourceUnavailableError, StoreUnavailableError)


class Worker:
    """Takes tasks while it has hands free: as many at once as the queue's `concurrency`.

    `identity` is whose the tasks are that nobody put in over the API.
    """

    def __init__(
        self, queue: Queue, source: Source, sessions: Sessions, store: Store, identity: Identity = ANONYMOUS
    ) -> None:
        self.identity = identity
        self._queue, self.source, self._sessions, self._store = queue, source, sessions, store
        self._tasks: TaskStore = store.tasks
        self._at_work: dict[str, tuple[Delivery, asyncio.Task[None]]] = {}
        self._loops: list[asyncio.Task[None]] = []
        self._first_come = asyncio.Lock()
        self._is_stopping = False
        self._is_leaving = False

    def start(self) -> None:
        """Begin to take tasks."""
        telemetry.prepare()
        keep = min(self._queue.leaseSeconds / 3, 10.0)
        for name, step, seconds in (
            ("queue", self._take, 0.0),
            ("queue-lease", self._keep, keep),
            ("queue-depth", self._measure, _DEPTH_SECONDS),
        ):
            self._loops.append(asyncio.create_task(self._repeat(step, seconds), name=name))

    async def stop_claiming(self) -> None:
        """Take no more; what is at work goes on."""
        self._is_stopping = True
        if self._loops:
            await asyncio.wait(self._loops[:1], timeout=_STOP_SECONDS)
            self._loops[0].cancel()

    async def leave(self) -> None:
        """Hand over what has not ended, and leave the queue. Comes after the conversations have drained."""
        if self._is_leaving:
            return
        await self.stop_claiming()
        self._is_leaving = True
        if waiting := [task for _, task in self._at_work.values()]:
            await asyncio.wait(waiting, timeout=_STOP_SECONDS)
        for task in (*self._loops, *(task for _, task in self._at_work.values())):
            task.cancel()
        self._loops.clear()
        await self.source.close()

    async def _repeat(self, step: Callable[[], Awaitable[None]], seconds: float) -> None:
        is_failing = False
        while not (self._is_stopping and step == self._take):
            try:
                await step()
                is_failing = False
            except Exception as error:
                if not is_failing:  # once, not every time
                    _log.warning("the queue does not answer", extra={"error": _name(error)})
                is_failing = True
            if pause := (1.0 if is_failing else seconds):
                await asyncio.sleep(pause)

    async def _take(self) -> None:
        free = self._queue.concurrency - len(self._at_work)
        if not free:
            await asyncio.sleep(_POLL_SECONDS)
            return
        for delivery in await self.source.claim(free):
            if delivery.receipt in self._at_work:
                continue  # this process was slow to renew, and has it already
            task = asyncio.create_task(self._handle(delivery), name=f"task-{delivery.id}")
            self._at_work[delivery.receipt] = delivery, task

    async def _keep(self) -> None:
        if held := [delivery for delivery, _ in self._at_work.values()]:
            await self.source.keep(held)

    async def _measure(self) -> None:
        telemetry.DEPTH.set(await self.source.depth())

    async def _handle(self, delivery: Delivery) -> None:
        try:
            await self._to_its_end(delivery)
        except Exception as error:
            _log.warning("a task is tried again", extra={"task": delivery.id, "error": _name(error)})
            await self._give_back(delivery, _AGAIN_SECONDS, is_counted=not isinstance(error, _AWAY))
        finally:
            self._at_work.pop(delivery.receipt, None)

    async def _give_back(self, delivery: Delivery, seconds: float, *, is_counted: bool) -> None:
        try:
            await self.source.release(delivery, seconds, is_counted=is_counted)
        except _AWAY:
            return  # its lease ends by itself

    async def _to_its_end(self, delivery: Delivery) -> None:
        try:
            task = read_task(delivery.body, delivery.id)
            if delivery.is_row and task.id != delivery.id:
                raise TaskError("its `id` is another one than that of its row")
        except TaskError as error:
            await self._bury(delivery, delivery.id, f"not a task: {error}")
            return
        async with self._first_come:  # of two with one id the first is to hold
            row = await self._tasks.put(task.id, delivery.body)
        # From here on as who put it in: the turn is theirs, and so is the conversation, which must be.
        CALLER.set(self.identity if row.caller is None else Identity(row.caller))
        if not row.is_final:
            if delivery.count > self._queue.maxDeliveries:
                await self._give_up(delivery, task)
                return
            # Of two tasks with one id the first holds.
            result = await self._result(read_task(row.body, row.id), delivery.count)
            if result is None:
                await self._give_back(delivery, 0, is_counted=False)
                return
            await self._finish(task.id, result)
            row = await self._tasks.put(task.id, delivery.body)
        await self.source.settle(delivery, row)

    async def _finish(self, id: str, result: Result) -> None:
        if await self._tasks.finish(id, result):
            telemetry.count(result)

    async def _bury(self, delivery: Delivery, id: str, reason: str) -> None:
        _log.warning("a task is dead", extra={"task": id, "reason": reason})
        await self._tasks.put(id, delivery.body)
        await self._finish(id, Result(DEAD, reason=reason))
        await self.source.bury(delivery, reason)

    async def _give_up(self, delivery: Delivery, task: Task) -> None:
        run_id = await self._store.run_of_key(task.key)
        if run_id is not None and await self._tasks.run_status(run_id) == OPEN:
            await self._sessions.ask_to_end(task.session_id, "cancel")
        times = self._queue.maxDeliveries
        await self._bury(delivery, task.id, f"delivered {times} times, and no process lived to finish it")

    async def _result(self, task: Task, deliveries: int) -> Result | None:
        """What becomes of it; None when this process ends before it is known."""
        try:
            run_id = await self._begun(task)
        except NoSessionError:
            return Result(FAILED, reason="there is no such conversation for who asked")
        if run_id is None:
            return None
        await self._tasks.started(task.id, task.session_id, run_id, deliveries)
        while (status := await self._tasks.run_status(run_id)) == OPEN:
            if self._is_leaving:
                return None
            await asyncio.sleep(_POLL_SECONDS)
        if status is None:
            return Result(FAILED, reason="its conversation was deleted")
        events = of_run(await self._store.events(task.session_id, 0), run_id)
        final = events[-1]
        is_done = final["outcome"] in ("completed", "limited")
        reason = None if final["outcome"] == "completed" else failure_of(final)
        return Result(DONE if is_done else FAILED, final["outcome"], reason, answer_of(events))

    async def _begun(self, task: Task) -> str | None:
        """The run that answers it: a new one, or the one that an earlier delivery began. Raises NoSessionError."""
        deleted = 0
        while not (self._is_leaving or self._sessions.is_draining):
            if (known := await self._store.run_of_key(task.key)) is not None:
                return known
            try:
                await self._store.ensure_session(task.session_id, task.title)
                return (await self._sessions.send(task.session_id, task.message, task.key))[0]
            except DuplicateMessage:
                continue
            except NoSessionError:  # deleted a moment ago; or another caller's, which it stays
                deleted += 1
                if deleted > _DELETIONS:
                    raise
            except (Busy, Overloaded):  # other messages come first
                await asyncio.sleep(_POLL_SECONDS)
            except Draining:
                break
        return None


def _name(error: BaseException) -> str:
    return str(error) if isinstance(error, _AWAY) else type(error).__name__
