"""The metrics of the queue."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

from kagent_runtime.storage.tasks import Result
from kagent_runtime.telemetry.metrics import REGISTRY

DEPTH = Gauge(
    "kagent_queue_depth", "Tasks of the queue that wait or are worked on, in all processes.", registry=REGISTRY
)
TASKS = Counter("kagent_tasks_total", "Tasks that ended in this process, by outcome.", ["outcome"], registry=REGISTRY)
OUTCOMES = ("completed", "limited", "failed", "cancelled", "dead")


def prepare() -> None:
    """Create every series at 0."""
    for outcome in OUTCOMES:
        TASKS.labels(outcome)


def count(result: Result) -> None:
    """Count a task that ended."""
    TASKS.labels(result.outcome if result.outcome in OUTCOMES else result.state).inc()
