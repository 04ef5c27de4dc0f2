"""What keeps a queue from being worked off, found at the field before anything is rendered."""

from __future__ import annotations

from collections.abc import Iterator

from kagent_render.catalog.base import Problem
from kagent_render.catalog.triggers.queue import QueueTrigger
from kagent_render.lower import Workload
from kagent_render.lower.queue import counts_queue
from kagent_render.specs.queue import AnyQueue


def problems(workload: Workload) -> Iterator[Problem]:
    """Every defect; locations begin with `queue` or `scaling`."""
    if workload.queue is None:
        yield from _uncounted(workload)
        return
    yield from _forgetful(workload, workload.queue)
    yield from _nameless(workload, workload.queue)
    if workload.is_knative:
        message = f"`{workload.name}` runs on Knative, which starts pods for requests only and not for tasks"
        yield Problem("KR588", message, ("queue",), "run it as a Deployment, with a `queue` trigger in scaling")
    else:
        yield from _asleep(workload, workload.queue)


def _uncounted(workload: Workload) -> Iterator[Problem]:
    for index, trigger in enumerate(workload.scaling.triggers if workload.scaling else ()):
        if isinstance(trigger, QueueTrigger):
            message = f"`{workload.name}` has no queue that a trigger could count"
            help = "add queue: {type: redis-streams, address: …}, or queue: {type: postgresql}"
            yield Problem("KR586", message, ("scaling", "triggers", index, "type"), help)


def _forgetful(workload: Workload, queue: AnyQueue) -> Iterator[Problem]:
    persistence = workload.persistence
    if queue.type == "postgresql" and (persistence is None or persistence.database is None):
        message = f"the tasks of `{workload.name}` stand in its database, and it has none"
        yield Problem("KR585", message, ("queue", "type"), "add persistence: {database: {urlSecretRef: …, host: …}}")
    elif persistence is None:
        message = f"`{workload.name}` forgets with its pod which tasks it has done, and would do them again"
        yield Problem("KR585", message, ("queue", "type"), "add persistence, a database for several pods")


def _nameless(workload: Workload, queue: AnyQueue) -> Iterator[Problem]:
    triggers = workload.scaling.triggers if workload.scaling else ()
    if queue.type == "postgresql" and workload.namespace is None and counts_queue(triggers, queue):
        message = f"the schema of `{workload.name}` is named after its namespace, and nobody says which it is"
        yield Problem("KR589", message, ("queue", "type"), "set metadata.namespace, or pass --namespace")


def _asleep(workload: Workload, queue: AnyQueue) -> Iterator[Problem]:
    scaling = workload.scaling
    if scaling is None:
        if workload.replicas == 0:
            message = f"`{workload.name}` has no pod that takes its tasks"
            yield Problem("KR587", message, ("queue", "type"), "add scaling with a `queue` trigger")
    elif (scaling.min_replicas == 0 or scaling.idle_replicas == 0) and not counts_queue(scaling.triggers, queue):
        field = "minReplicas" if scaling.min_replicas == 0 else "idleReplicas"
        message = f"no trigger starts a pod of `{workload.name}` for the tasks in its queue"
        yield Problem("KR587", message, ("scaling", field), "add the trigger {type: queue}")
