"""A queue elsewhere: its credentials from Secrets, and the way to it. A table is in the database of persistence."""

from __future__ import annotations

from collections.abc import Iterator

from kagent_render.catalog.base import Contribution, Endpoint, Variable
from kagent_render.lower.queue import PASSWORD, USERNAME
from kagent_render.lower.workload import Workload
from kagent_render.specs.queue import RedisStreamsQueue


def contribute(workload: Workload) -> Contribution:
    """Variables and endpoint; nothing without a Redis queue."""
    queue = workload.queue
    if not isinstance(queue, RedisStreamsQueue):
        return Contribution()
    host, _, port = queue.address.rpartition(":")
    endpoint = Endpoint(host.strip("[]").lower(), int(port), "redis", is_private=True)
    return Contribution(frozenset(_variables(queue)), endpoints=frozenset({endpoint}))


def _variables(queue: RedisStreamsQueue) -> Iterator[Variable]:
    for name, reference in ((USERNAME, queue.username_secret_ref), (PASSWORD, queue.password_secret_ref)):
        if reference is not None:
            yield Variable(name, secret=reference.name, key=reference.key)
