"""A queue to what the runtime takes tasks from and to KEDA's triggers: one source, so that they cannot disagree."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

from kagent_render.catalog.triggers.base import Trigger
from kagent_render.catalog.triggers.postgresql import PostgreSqlTrigger
from kagent_render.catalog.triggers.queue import QueueTrigger, RedisPendingTrigger
from kagent_render.catalog.triggers.redis_streams import RedisStreamsTrigger
from kagent_render.specs.persistence import Persistence
from kagent_render.specs.queue import AnyQueue, RedisStreamsQueue
from kagent_render.specs.scaling import Scaling

USERNAME, PASSWORD = "KAGENT_QUEUE_USERNAME", "KAGENT_QUEUE_PASSWORD"
_NAMES = ("stream", "consumer_group", "dead_letter_stream", "reply_stream")


def named(queue: AnyQueue | None, workload: str) -> AnyQueue | None:
    """The queue of one workload, with its name filled in."""
    if not isinstance(queue, RedisStreamsQueue):
        return queue
    texts = {name: getattr(queue, name) for name in _NAMES}
    return queue.model_copy(update={name: text and text.replace("{name}", workload) for name, text in texts.items()})


def settings(queue: AnyQueue | None) -> dict[str, Any]:
    """`queue` of the runtime's config, if there is one."""
    if queue is None:
        return {}
    bounds = {
        "type": queue.type,
        "concurrency": queue.concurrency,
        "maxDeliveries": queue.max_deliveries,
        "leaseSeconds": queue.lease_seconds,
    }
    return {"queue": bounds | (_redis(queue) if isinstance(queue, RedisStreamsQueue) else {})}


def _redis(queue: RedisStreamsQueue) -> dict[str, Any]:
    fields = {
        "address": queue.address,
        "stream": queue.stream,
        "consumerGroup": queue.consumer_group,
        "deadLetterStream": queue.dead_letter_stream,
        "replyStream": queue.reply_stream,
        "usernameEnv": USERNAME if queue.username_secret_ref else None,
        "passwordEnv": PASSWORD if queue.password_secret_ref else None,
        "tls": queue.tls,
    }
    return {name: value for name, value in fields.items() if value is not None}


def counted(
    scaling: Scaling | None, queue: AnyQueue | None, persistence: Persistence | None, identity: str
) -> Scaling | None:
    """The scaling, with the trigger of the queue's kind for each of type `queue`. `identity` names the schema.

    What a trigger adds comes last: the places of the others in the spec stay their places here.
    """
    if scaling is None or queue is None or not any(isinstance(t, QueueTrigger) for t in scaling.triggers):
        return scaling
    lowered = [_lowered(trigger, queue, persistence, identity) for trigger in scaling.triggers]
    triggers = [first for first, *_ in lowered] + [other for _, *more in lowered for other in more]
    return scaling.model_copy(update={"triggers": triggers})


def _lowered(trigger: Trigger, queue: AnyQueue, persistence: Persistence | None, identity: str) -> list[Trigger]:
    if not isinstance(trigger, QueueTrigger):
        return [trigger]
    if isinstance(queue, RedisStreamsQueue):
        return list(_of_stream(trigger, queue))
    database = persistence.database if persistence else None
    if database is None:
        return [trigger]  # KR585
    made = PostgreSqlTrigger.model_construct(
        type="postgresql",
        name=trigger.name,
        query=backlog_query(identity),
        target_query_value=trigger.tasks_per_replica,
        activation_target_query_value=trigger.activation_tasks,
        connection_secret_ref=database.url_secret_ref,
    )
    return [made]


def _of_stream(trigger: QueueTrigger, queue: RedisStreamsQueue) -> Iterator[Trigger]:
    shared: dict[str, Any] = {
        "type": "redis-streams",
        "address": queue.address,
        "stream": queue.stream,
        "consumer_group": queue.consumer_group,
        "lag_count": trigger.tasks_per_replica,
        "username_secret_ref": queue.username_secret_ref,
        "password_secret_ref": queue.password_secret_ref,
        "tls": queue.tls,
    }
    activation, pending = trigger.activation_tasks, f"{trigger.name}-pending" if trigger.name else None
    yield RedisStreamsTrigger.model_construct(name=trigger.name, activation_lag_count=activation, **shared)
    yield RedisPendingTrigger.model_construct(name=pending, **shared)


def backlog_query(identity: str) -> str:
    """What KEDA counts: tasks without a result. Until the first pod has made the table, KEDA gets an error."""
    return f"SELECT count(*) FROM {schema_name(identity)}.tasks WHERE state IN ('queued', 'running')"


def schema_name(identity: str) -> str:
    """The workload's schema, as the runtime names it (kagent_runtime.storage.database); a test compares the two."""
    readable = re.sub(r"[^a-z0-9]+", "_", identity.lower()).strip("_")[:40]
    return f"kagent_{readable}_{hashlib.sha256(identity.encode()).hexdigest()[:8]}"


def counts_queue(triggers: Iterable[Trigger], queue: AnyQueue) -> bool:
    """Whether one of these sees the tasks that wait in the queue."""
    for trigger in triggers:
        if isinstance(queue, RedisStreamsQueue) and isinstance(trigger, RedisStreamsTrigger):
            there = (trigger.address, trigger.stream, trigger.consumer_group)
            if there == (queue.address, queue.stream, queue.consumer_group):
                return True
        elif isinstance(trigger, PostgreSqlTrigger) and queue.type == "postgresql":
            return True
    return False
