"""The registry of sources: which queue is taken from how."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kagent_runtime.model.queue import AnyQueue, PostgreSqlQueue, RedisStreamsQueue
from kagent_runtime.storage.tasks import TaskStore
from kagent_runtime.work.source import Source

# `local`: the tasks stand in the process' own database, whatever the config says. For a run on a laptop.
MODE = "KAGENT_QUEUE"
_Maker = Callable[[AnyQueue, TaskStore, str, Mapping[str, str]], Source]


def _redis_streams(queue: AnyQueue, tasks: TaskStore, owner: str, environment: Mapping[str, str]) -> Source:
    from kagent_runtime.work.redis_streams import RedisStreamsSource

    assert isinstance(queue, RedisStreamsQueue)
    return RedisStreamsSource(queue, owner, environment)


def _postgresql(queue: AnyQueue, tasks: TaskStore, owner: str, environment: Mapping[str, str]) -> Source:
    from kagent_runtime.work.postgresql import PostgreSqlSource

    return PostgreSqlSource(queue, tasks, owner)


SOURCES: dict[type[AnyQueue], _Maker] = {RedisStreamsQueue: _redis_streams, PostgreSqlQueue: _postgresql}


def source_of(queue: AnyQueue, tasks: TaskStore, owner: str, environment: Mapping[str, str]) -> Source:
    """The source of a queue. The libraries of the others are not loaded."""
    is_local = environment.get(MODE) == "local"
    return (_postgresql if is_local else SOURCES[type(queue)])(queue, tasks, owner, environment)
