"""KEDA's HTTP add-on in front of a workload: its interceptor calls the pods."""

from __future__ import annotations

from kagent_render.catalog.base import Caller, Contribution
from kagent_render.lower.workload import Workload


def contribute(workload: Workload) -> Contribution:
    """The interceptor as a caller."""
    if not workload.waits_behind_interceptor:
        return Contribution()
    return Contribution(callers=frozenset({Caller(workload.platform.http_interceptor.namespace)}))
