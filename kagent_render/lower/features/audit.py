"""The audit log: how it tells the arguments of tools."""

from __future__ import annotations

from kagent_render.catalog.base import Contribution, Variable
from kagent_render.lower.workload import Workload


def contribute(workload: Workload) -> Contribution:
    """A variable; nothing without `observability.audit`, or when it says what the runtime does anyway."""
    observed = workload.platform.observability
    if observed is None or observed.audit is None or observed.audit.arguments == "Hashed":
        return Contribution()
    return Contribution(frozenset({Variable("KAGENT_AUDIT_ARGUMENTS", observed.audit.arguments.lower())}))
