"""What a spec adds to the pod by hand: variables and volumes."""

from __future__ import annotations

from kagent_render.catalog.base import Contribution, Mount, Variable
from kagent_render.lower.workload import Workload
from kagent_render.specs.pod import EnvironmentVariable, Volume

DEFAULT_GRACE_SECONDS = 30
_SECONDS_TO_SAVE = 10  # of the grace period: the runtime ends its turns in the rest


def contribute(workload: Workload) -> Contribution:
    """The `env` and `volumes` of the workload, and the drain time that fits its grace period."""
    placement = workload.placement
    variables = {_variable(item) for item in placement.env or ()}
    grace = placement.termination_grace_period_seconds
    if grace is not None and grace != DEFAULT_GRACE_SECONDS:
        variables.add(Variable("KAGENT_DRAIN_SECONDS", str(grace - _SECONDS_TO_SAVE)))
    if placement.concurrency is not None:
        variables.add(Variable("KAGENT_MAX_RUNS", str(placement.concurrency.runs)))
        variables.add(Variable("KAGENT_MAX_QUEUED_RUNS", str(placement.concurrency.queued)))
    return Contribution(frozenset(variables), frozenset(_mount(item) for item in placement.volumes or ()))


def _variable(item: EnvironmentVariable) -> Variable:
    if item.secret_ref:
        return Variable(item.name, secret=item.secret_ref.name, key=item.secret_ref.key)
    if item.config_map_ref:
        return Variable(item.name, config_map=item.config_map_ref.name, key=item.config_map_ref.key)
    return Variable(item.name, item.value or "")


def _mount(item: Volume) -> Mount:
    return Mount(
        item.name,
        item.mount_path,
        secret=item.secret or "",
        config_map=item.config_map or "",
        claim=item.persistent_volume_claim or "",
        size_limit=(item.empty_dir.size_limit or "") if item.empty_dir else "",
        is_read_only=item.read_only,
    )
