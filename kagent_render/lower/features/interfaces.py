"""Which protocols a workload serves beside the runtime's own API, which the page needs."""

from __future__ import annotations

from kagent_render.catalog.base import Contribution, Variable
from kagent_render.lower.workload import Workload


def contribute(workload: Workload) -> Contribution:
    """Nothing, unless the Platform names them: the runtime serves all."""
    chosen = workload.platform.interfaces
    if chosen is None:
        return Contribution()
    return Contribution(frozenset({Variable("KAGENT_INTERFACES", ",".join(sorted(set(chosen))))}))
