"""Knative in front of a workload: all traffic goes to the queue-proxy beside the agent.

Ports of the queue-proxy: knative.dev/serving, pkg/networking/constants.go.
"""

from __future__ import annotations

from kagent_render.catalog.base import Caller, Contribution
from kagent_render.lower.workload import Workload

_REQUESTS = (8012, 8013)
_CONTROL = (8022, 9090)
SYSTEM_NAMESPACE = "knative-serving"


def contribute(workload: Workload) -> Contribution:
    """The activator and the autoscaler, and the gateway that calls the pods itself once they run."""
    if not workload.is_knative:
        return Contribution()
    system = {Caller(SYSTEM_NAMESPACE, port=port) for port in (*_REQUESTS, *_CONTROL)}
    gateway = {Caller(workload.knative.ingress_namespace, port=port) for port in _REQUESTS}
    return Contribution(callers=frozenset(system | gateway))
