"""Where pods run: what the specs say of nodes, and how several pods are spread over them."""

from __future__ import annotations

from typing import Any

from kagent_render.lower import Pods
from kagent_render.targets.objects import selector_labels


def placement(workload: Pods) -> dict[str, Any]:
    """Fields of the pod spec; None where nothing is asked for."""
    asked = workload.placement
    tolerations = [item.model_dump(exclude_none=True) for item in asked.tolerations or ()]
    secrets = [{"name": name} for name in asked.image_pull_secrets or ()]
    affinity = asked.affinity.model_dump(by_alias=True, exclude_none=True) if asked.affinity else None
    return {
        "node_selector": asked.node_selector or None,
        "tolerations": tolerations or None,
        "priority_class": asked.priority_class_name,
        "pull_secrets": secrets or None,
        "affinity": affinity or None,
        "spread": _spread(workload) or None,
    }


def _spread(workload: Pods) -> list[dict[str, Any]]:
    """What the spec says, else over nodes and zones as far as that goes."""
    if workload.placement.topology_spread_constraints is not None:
        return workload.placement.topology_spread_constraints
    keys = ("kubernetes.io/hostname", "topology.kubernetes.io/zone") if workload.most_replicas > 1 else ()
    return [_spread_over(workload, key) for key in keys]


def _spread_over(workload: Pods, key: str) -> dict[str, Any]:
    return {
        "maxSkew": 1,
        "topologyKey": key,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": selector_labels(workload)},
    }
