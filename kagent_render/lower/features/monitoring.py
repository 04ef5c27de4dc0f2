"""Prometheus: who scrapes may call the pods, which else only their callers may."""

from __future__ import annotations

from kagent_render.catalog.base import Caller, Contribution
from kagent_render.lower.features.tls import MANAGEMENT
from kagent_render.lower.workload import Workload


def contribute(workload: Workload) -> Contribution:
    """The caller; nothing without `observability.metrics`. The sidecar of Dapr has metrics of its own."""
    settings = workload.platform.observability
    if settings is None or settings.metrics is None:
        return Contribution()
    namespace, dapr = settings.metrics.prometheus_namespace, workload.platform.dapr
    port = MANAGEMENT.number if workload.has_management_port else 8080
    ports = [port, *([dapr.metrics_port] if dapr else [])]
    return Contribution(callers=frozenset(Caller(namespace, port=port) for port in ports))
