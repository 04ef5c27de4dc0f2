"""What a process does beside its turns: it keeps its lease, takes over what others left, and hears what they say."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from kagent_runtime.approvals import decided
from kagent_runtime.hub import Hub
from kagent_runtime.storage.ownership import OpenRun
from kagent_runtime.store import LostRunError, Store, StoreUnavailableError
from kagent_runtime.turn import Turn

_log = logging.getLogger(__name__)
LEASE_SECONDS = 6.0
RENEW_SECONDS = 2.0
WATCH_SECONDS = 0.25


class Replica:
    """The loops of one process. `turns` are its runs by id; `resume` goes on with a run that was left."""

    def __init__(
        self, id: str, store: Store, hub: Hub, turns: dict[str, Turn], resume: Callable[[OpenRun], Awaitable[None]]
    ) -> None:
        self.id = id
        self._store, self._hub, self._turns, self._resume = store, hub, turns, resume
        self._tasks: list[asyncio.Task[None]] = []
        self.is_leaving = self._has_left = False

    async def start(self) -> None:
        """Take what is left to take, and begin to watch."""
        if self._store.is_shared:
            await self._store.ownership.renew(self.id, LEASE_SECONDS)
        await self._take_over()
        self._repeat("lease", RENEW_SECONDS, self._keep_lease)
        if self._store.is_shared:
            self._repeat("watch", WATCH_SECONDS, self._watch)

    async def leave(self) -> None:
        """Give up the lease, so that others need not wait for its end."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        if self._has_left:
            return
        self._has_left = True
        try:
            await self._store.ownership.leave(self.id)
        except Exception as error:
            _log.warning("the lease ends by itself", extra={"error": type(error).__name__})

    def _repeat(self, name: str, seconds: float, step: Callable[[], Awaitable[None]]) -> None:
        async def loop() -> None:
            is_failing = False
            while True:
                await asyncio.sleep(seconds)
                try:
                    await step()
                    is_failing = False
                except Exception as error:
                    if not is_failing:  # once, not every time
                        _log.warning("the database does not answer", extra={"error": type(error).__name__})
                    is_failing = True

        self._tasks.append(asyncio.create_task(loop(), name=name))

    async def _keep_lease(self) -> None:
        if self._store.is_shared:
            await self._store.ownership.renew(self.id, LEASE_SECONDS)
        if not self.is_leaving:
            await self._take_over()

    async def _take_over(self) -> None:
        # Also our own runs that ended without a word, because the database was away when they did.
        for run in await self._store.ownership.abandoned(self.id, list(self._turns)):
            if run.id in self._turns:
                continue
            try:
                await self._resume(run)
            except (StoreUnavailableError, LostRunError):
                raise
            except Exception as error:  # one that cannot be gone on with must not keep the others
                _log.error("a run is left as it is", extra={"run": run.id, "error": type(error).__name__})

    async def _watch(self) -> None:
        if self._turns:
            await self._hear()
        if followed := self._hub.followed():
            await self._catch_up(followed)

    async def _hear(self) -> None:
        """What others decided, asked for or took."""
        turns = {id: turn for id, turn in self._turns.items() if turn.is_started}
        waiting = [id for id, turn in turns.items() if turn.approvals.is_waiting]
        owned = await self._store.ownership.owned(self.id)
        for id, turn in turns.items():
            fence, asked = owned.get(id, (None, None))
            if fence != turn.token.fence:
                # Ended meanwhile, or lost: a turn that ended takes itself off the list.
                if id in self._turns and not turn.is_ending:
                    turn.give_up()
            elif asked == "cancel":
                turn.end()
            elif asked == "finish":
                turn.stop.finish()
        for call in await self._store.decisions.decided(waiting) if waiting else ():
            if (turn := turns[call.run_id]) and (decision := decided(call)):
                turn.approvals.decided(call.id, decision)

    async def _catch_up(self, followed: list[str]) -> None:
        """Publish what others added to the logs that somebody here follows."""
        ends = await self._store.last_seqs(followed)
        for session_id in followed:
            if session_id not in ends:
                self._hub.close(session_id)  # it was deleted
        for session_id, end in ends.items():
            # Whoever has just come has read the log; the last event tells him whether he missed some.
            seen = known if (known := self._hub.end(session_id)) is not None else end - 1
            if end > seen:
                self._hub.publish(session_id, await self._store.events(session_id, seen))
