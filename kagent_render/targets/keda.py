"""KEDA ScaledObject, when the Platform asks for scaling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kagent_render.lower import Workload
from kagent_render.specs.scaling import CpuTrigger, CronTrigger, Trigger
from kagent_render.targets.objects import metadata
from kagent_render.targets.templating import render


def objects(workload: Workload) -> Iterator[tuple[str, dict[str, Any]]]:
    """One ScaledObject."""
    scaling = workload.scaling
    if scaling is None:
        return
    context = {
        "metadata": metadata(workload),
        "name": workload.name,
        "min_replicas": scaling.min_replicas,
        "max_replicas": scaling.max_replicas,
        "triggers": [_trigger(trigger) for trigger in scaling.triggers],
    }
    yield "scaledobject.yaml", render("keda/scaledobject.yaml.j2", context)


def _trigger(trigger: Trigger) -> dict[str, Any]:
    # KEDA's metadata is map[string]string: every value is a string.
    if isinstance(trigger, CpuTrigger):
        return {"type": "cpu", "metricType": "Utilization", "metadata": {"value": str(trigger.utilization)}}
    if isinstance(trigger, CronTrigger):
        fields = {"timezone": trigger.timezone, "start": trigger.start, "end": trigger.end}
        return {"type": "cron", "metadata": fields | {"desiredReplicas": str(trigger.desired_replicas)}}
    fields = {
        "serverAddress": trigger.server_address,
        "query": trigger.query,
        "threshold": f"{trigger.threshold:g}",
    }
    return {"type": "prometheus", "metadata": fields}
