"""PodDisruptionBudgets.

Source: k8s.io/kubernetes, pkg/apis/policy/validation/validation.go: ValidatePodDisruptionBudgetSpec.
"""

from __future__ import annotations

from kagent_render.rules.selectors import label_selector
from kagent_render.rules.walk import JSON, Found, int_or_percent, not_one_of, part
from kagent_render.rules.workloads import not_over_100_percent
from kagent_render.schemas import Defect
from kagent_render.schemas.validator import Path

_EVICTION = ("AlwaysAllow", "IfHealthyBudget")


def pod_disruption_budget(item: JSON, path: Path) -> Found:
    """The numbers and the selector."""
    spec, place = part(item, "spec"), (*path, "spec")
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        yield Defect((*place, "minAvailable"), "may not be there beside `maxUnavailable`")
    for name in ("minAvailable", "maxUnavailable"):
        yield from int_or_percent(spec, name, place)
        yield from not_over_100_percent(spec, name, place)
    yield from label_selector(part(spec, "selector"), (*place, "selector"))
    policy = spec.get("unhealthyPodEvictionPolicy")
    if policy is not None and policy not in _EVICTION:
        yield Defect((*place, "unhealthyPodEvictionPolicy"), not_one_of(policy, _EVICTION))
