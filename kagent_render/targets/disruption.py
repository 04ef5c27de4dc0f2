"""PodDisruptionBudget, when there may be more than one pod: with one, it would only block a node's drain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kagent_render.lower import Pods
from kagent_render.targets.objects import metadata, selector_labels
from kagent_render.targets.templating import render


def objects(workload: Pods) -> Iterator[tuple[str, dict[str, Any]]]:
    """One PodDisruptionBudget: one pod at a time."""
    if workload.most_replicas > 1 and not workload.is_knative:
        context = {"metadata": metadata(workload), "selector": selector_labels(workload)}
        yield "poddisruptionbudget.yaml", render("disruption/poddisruptionbudget.yaml.j2", context)
