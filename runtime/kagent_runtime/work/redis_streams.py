"""A Redis stream and its consumer group. Needs Redis 7: KEDA counts the group's lag, which older ones do not tell.

Commands: redis.io/docs/latest/commands (XREADGROUP, XAUTOCLAIM, XCLAIM, XPENDING, XTRIM).
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import certifi
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from kagent_runtime.model.queue import RedisStreamsQueue
from kagent_runtime.storage.tasks import TaskRow
from kagent_runtime.work.source import Delivery, SourceUnavailableError
from kagent_runtime.work.task import metadata_of

_FIELD = "task"
_BLOCK_MS = 1_000
_CONNECT_SECONDS = 5.0
_TRIM_SECONDS = 60.0
_REPLIES = 10_000  # about so many results are kept for who reads them
_STALE_MS = 3_600_000


class RedisStreamsSource:
    """An entry is a task: JSON in the field `task`, or the fields of a task themselves."""

    def __init__(self, queue: RedisStreamsQueue, owner: str, environment: Mapping[str, str]) -> None:
        self._queue, self._owner, self._lease_ms = queue, owner, int(queue.leaseSeconds * 1000)
        self._redis = _client(queue, environment)
        self._next_trim, self._cursor = 0.0, "0-0"

    async def _make_group(self) -> None:
        """From the beginning of the stream: what was put in before the first worker counts."""
        try:
            await self._redis.xgroup_create(self._queue.stream, self._queue.consumerGroup, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def claim(self, count: int) -> list[Delivery]:
        """First what a consumer that fell silent left, then new entries."""
        async with _told():
            try:
                return await self._left(count) or await self._new(count)
            except ResponseError as error:
                if "NOGROUP" not in str(error):
                    raise
                await self._make_group()  # nobody was here before, or Redis came back empty
                return []

    async def _left(self, count: int) -> list[Delivery]:
        stream, group = self._queue.stream, self._queue.consumerGroup
        # One call looks at a few entries only; the next one goes on where it ended.
        answer = await self._redis.xautoclaim(stream, group, self._owner, self._lease_ms, self._cursor, count)
        self._cursor, found = answer[0], []
        for entry_id, fields in answer[1]:
            pending = await self._pending(entry_id)
            found.append(_delivery(entry_id, fields, pending["times_delivered"] if pending else 1))
        return found

    async def _new(self, count: int) -> list[Delivery]:
        stream, group = self._queue.stream, self._queue.consumerGroup
        answer: Any = await self._redis.xreadgroup(group, self._owner, {stream: ">"}, count, _BLOCK_MS)
        return [_delivery(entry_id, fields, 1) for _, entries in answer or () for entry_id, fields in entries]

    async def keep(self, deliveries: list[Delivery]) -> None:
        """Set the idle time back; JUSTID, so that it does not count as a delivery."""
        async with _told():
            for delivery in deliveries:
                await self._reclaim(delivery, idle=0)

    async def release(self, delivery: Delivery, seconds: float, *, is_counted: bool) -> None:
        """Let the entry look as if it had been left for long. Redis has no command to give it back."""
        count = None if is_counted else delivery.count - 1
        async with _told():
            await self._reclaim(delivery, idle=max(self._lease_ms - int(seconds * 1000), 0), retrycount=count)

    async def _reclaim(self, delivery: Delivery, idle: int, retrycount: int | None = None) -> None:
        pending = await self._pending(delivery.receipt)
        if pending is None or pending["consumer"] != self._owner:
            return  # another one has it
        stream, group = self._queue.stream, self._queue.consumerGroup
        more: dict[str, Any] = {"idle": idle, "retrycount": retrycount, "justid": True}
        await self._redis.xclaim(stream, group, self._owner, 0, [delivery.receipt], **more)

    async def _pending(self, entry_id: str) -> dict[str, Any] | None:
        stream, group = self._queue.stream, self._queue.consumerGroup
        found: Any = await self._redis.xpending_range(stream, group, entry_id, entry_id, 1)
        return found[0] if found else None

    async def settle(self, delivery: Delivery, row: TaskRow) -> None:
        """Tell the result to whoever listens, then acknowledge. Not the other way: it would be lost in between."""
        async with _told():
            if self._queue.replyStream:
                reply: dict[str, Any] = {
                    "id": row.id,
                    "session": row.session_id,
                    "state": row.state,
                    "outcome": row.outcome,
                }
                reply |= {"reason": row.reason, "answer": row.answer, "metadata": metadata_of(row.body)}
                fields: Any = {"result": json.dumps(reply, ensure_ascii=False)}
                await self._redis.xadd(self._queue.replyStream, fields, maxlen=_REPLIES)
            await self._redis.xack(self._queue.stream, self._queue.consumerGroup, delivery.receipt)

    async def bury(self, delivery: Delivery, reason: str) -> None:
        """Copy to the dead letters with the reason, and acknowledge."""
        fields: Any = {_FIELD: delivery.body, "id": delivery.id, "entry": delivery.receipt, "reason": reason}
        async with _told():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.xadd(self._queue.deadLetterStream, fields)
                pipe.xack(self._queue.stream, self._queue.consumerGroup, delivery.receipt)
                await pipe.execute()

    async def enqueue(self, id: str, body: dict[str, Any]) -> None:
        """Add an entry."""
        fields: Any = {_FIELD: json.dumps(body | {"id": id}, ensure_ascii=False)}
        async with _told():
            await self._redis.xadd(self._queue.stream, fields)

    async def depth(self) -> int:
        """What the group has not read, and what it has read and not acknowledged: KEDA's two numbers."""
        async with _told():
            await self._tidy()
            for group in await self._groups():
                if group["name"] == self._queue.consumerGroup:
                    return int(group.get("lag") or 0) + int(group["pending"])
        return 0

    async def _groups(self) -> list[dict[str, Any]]:
        try:
            return list(await self._redis.xinfo_groups(self._queue.stream))
        except ResponseError as error:
            if "no such key" in str(error):
                return []
            raise

    async def _tidy(self) -> None:
        """Trim what every group of the stream is through with, and forget consumers that are long gone."""
        if time.monotonic() < self._next_trim:
            return
        self._next_trim = time.monotonic() + _TRIM_SECONDS
        stream, needed = self._queue.stream, []
        for group in await self._groups():
            summary: Any = await self._redis.xpending(stream, group["name"])
            oldest = summary["min"] if summary["pending"] else group["last-delivered-id"]
            needed.append(tuple(int(part) for part in oldest.split("-")))
        if needed:
            milliseconds, sequence = min(needed)
            await self._redis.xtrim(stream, minid=f"{milliseconds}-{sequence}", approximate=True)
        for consumer in await self._redis.xinfo_consumers(stream, self._queue.consumerGroup):
            if not consumer["pending"] and consumer["idle"] > _STALE_MS:
                await self._redis.xgroup_delconsumer(stream, self._queue.consumerGroup, consumer["name"])

    async def close(self) -> None:
        """Take the consumer off the group, unless others still have to take over from it."""
        try:
            async with _told():
                stream, group = self._queue.stream, self._queue.consumerGroup
                pending: Any = await self._redis.xpending_range(stream, group, "-", "+", 1, self._owner)
                if not pending:
                    await self._redis.xgroup_delconsumer(stream, group, self._owner)
        except SourceUnavailableError:
            pass
        finally:
            closing: Awaitable[None] = self._redis.aclose()
            await closing


def _client(queue: RedisStreamsQueue, environment: Mapping[str, str]) -> Any:
    host, _, port = queue.address.rpartition(":")
    tls: dict[str, Any] = {}
    if queue.tls:
        tls = {"ssl": True, "ssl_ca_certs": os.environ.get("SSL_CERT_FILE") or certifi.where()}
    return Redis(
        host=host.strip("[]"),
        port=int(port),
        username=environment.get(queue.usernameEnv, "").strip() or None if queue.usernameEnv else None,
        password=environment.get(queue.passwordEnv, "").strip() or None if queue.passwordEnv else None,
        protocol=2,  # the answers of the next one have other shapes
        decode_responses=True,
        encoding_errors="replace",
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=_CONNECT_SECONDS + _BLOCK_MS / 1000,
        health_check_interval=30,
        **tls,
    )


def _delivery(entry_id: str, fields: Any, count: int) -> Delivery:
    fields = fields or {}  # an entry that was deleted has none
    body = fields.get(_FIELD)
    return Delivery(entry_id, entry_id, body if body is not None else json.dumps(fields), count)


@asynccontextmanager
async def _told() -> AsyncIterator[None]:
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        raise SourceUnavailableError(type(error).__name__) from error
