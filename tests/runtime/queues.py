"""An agent with a queue, on each kind of queue, and what a producer and KEDA do with it."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from kagent_render.compiler import compile_paths
from tests.edge.postgresql import PostgreSQL
from tests.edge.redis_server import RedisServer
from tests.runtime.killing import TOOL, Shop
from tests.runtime.process import Runtime
from tests.runtime.specs import agent, compiled

LEASE_SECONDS = 3
WAIT_SECONDS = 60
_WORKLOAD = """tools: [{name: order}]
workload:
  queue: %s
  scaling: {minReplicas: 0, maxReplicas: 5, triggers: [{type: queue}]}
  persistence: {database: {urlSecretRef: {name: db, key: url}, host: db.data.svc}}
"""


class Queue(ABC):
    """One kind of queue, as the spec of an agent says it and as the compiler renders it."""

    def __init__(self, database: str, **spec: Any) -> None:
        self.database = database
        self.spec: dict[str, Any] = {"leaseSeconds": LEASE_SECONDS} | spec
        self.triggers: list[dict[str, str]] = []

    def compile(self, shop: Shop) -> dict[str, Any]:
        """The runtime's config; the metadata of KEDA's triggers are kept."""
        folder = shop.folder / "queue-specs"
        config: dict[str, Any] = compiled(
            folder, shop.model.base_url, agent("solo", _WORKLOAD % json.dumps(self.spec)), TOOL
        )
        objects = [item.data for item in compile_paths([str(folder)], "default").objects]
        (scaled,) = [item for item in objects if item["kind"] == "ScaledObject"]
        self.triggers = [trigger["metadata"] for trigger in scaled["spec"]["triggers"]]
        return config

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """What a process needs of it."""

    @abstractmethod
    def put(self, body: str, id: str) -> str:
        """Put in a task as a producer does, without the API; its id."""

    @abstractmethod
    def backlog(self) -> int:
        """The number that KEDA's scaler reads, by what was rendered for it."""


class RedisQueue(Queue):
    """A stream."""

    def __init__(self, server: RedisServer, database: str) -> None:
        secrets = {f"{name}SecretRef": {"name": "redis", "key": name} for name in ("username", "password")}
        about = {"type": "redis-streams", "address": server.address, "replyStream": "{name}-results"}
        super().__init__(database, **about, **secrets)
        self.server = server
        server.client.flushall()

    def environment(self) -> dict[str, str]:
        """The credentials."""
        return self.server.environment()

    def put(self, body: str, id: str) -> str:
        """XADD."""
        entry = self.server.client.xadd("solo", {"task": body})
        try:
            return str(json.loads(body)["id"])
        except (ValueError, KeyError, TypeError):
            return str(entry)

    def backlog(self) -> int:
        """As KEDA's redis-streams scaler reads them: lag of the group (all entries without one), and pending."""
        lag, pending = self.triggers
        assert ("lagCount" in lag, "pendingEntriesCount" in pending) == (True, True)
        groups = {group["name"]: group for group in self._groups(lag["stream"])}
        if lag["consumerGroup"] not in groups:
            return int(self.server.client.xlen(lag["stream"]))
        waiting = groups[lag["consumerGroup"]]["lag"]
        summary = self.server.client.xpending(pending["stream"], pending["consumerGroup"])
        return int(waiting) + int(summary["pending"])

    def _groups(self, stream: str) -> list[dict[str, Any]]:
        return list(self.server.client.xinfo_groups(stream)) if self.server.client.exists(stream) else []


class PostgreSqlQueue(Queue):
    """A table."""

    def __init__(self, server: PostgreSQL, database: str) -> None:
        super().__init__(database, type="postgresql")
        self.server = server

    def environment(self) -> dict[str, str]:
        """Nothing: it is the database of the conversations."""
        return {}

    def put(self, body: str, id: str) -> str:
        """INSERT, of the two columns that have no default."""
        quoted = body.replace("'", "''")
        table = self.triggers[0]["query"].split(" FROM ")[1].split(" ")[0]
        self.server.query(f"INSERT INTO {table} (id, body) VALUES ('{id}', '{quoted}')", self._name)
        return id

    def backlog(self) -> int:
        """The rendered query, as it is."""
        return int(self.server.query(self.triggers[0]["query"], self._name)[0][0])

    @property
    def _name(self) -> str:
        return self.database.rpartition("/")[2]


@contextmanager
def workers(shop: Shop, queue: Queue, *names: str, **settings: str) -> Iterator[list[Runtime]]:
    """Processes of one agent, that share a database and take from one queue."""
    shop.config = queue.compile(shop)
    environment = {"KAGENT_DATABASE_URL": queue.database} | queue.environment() | settings
    with ExitStack() as stack:
        yield [stack.enter_context(shop.runtime(name, **environment)) for name in names]


def task_of(runtime: Runtime, id: str, **headers: str) -> dict[str, Any]:
    """A task, as the API tells it; empty when it is not known."""
    answer = runtime.client.get(f"/api/v1/tasks/{id}", headers=headers)
    assert answer.status_code in (200, 404), answer.text
    found: dict[str, Any] = answer.json() if answer.status_code == 200 else {}
    return found


def wait_task(runtime: Runtime, id: str, *states: str, **headers: str) -> dict[str, Any]:
    """The task, once it is in one of these states; by default, once it has ended."""
    deadline = time.monotonic() + WAIT_SECONDS
    while (found := task_of(runtime, id, **headers)).get("state") not in (states or ("done", "failed", "dead")):
        assert time.monotonic() < deadline, (found, runtime.stderr)
        time.sleep(0.05)
    return found


def wait_backlog(queue: Queue, number: int) -> None:
    """Until KEDA would read this number."""
    deadline = time.monotonic() + WAIT_SECONDS
    while (found := queue.backlog()) != number:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def metric(runtime: Runtime, name: str) -> float:
    """The value of one series."""
    lines = runtime.client.get("/metrics").text.splitlines()
    return float(next(line for line in lines if line.startswith(f"{name} ")).split()[-1])
