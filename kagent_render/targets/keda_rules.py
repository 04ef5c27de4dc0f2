"""What KEDA's webhook and scalers refuse, found at the field before anything is rendered."""

from __future__ import annotations

from collections.abc import Iterator

from kagent_render.catalog.base import Problem
from kagent_render.catalog.triggers.cron import CronTrigger
from kagent_render.catalog.triggers.http import HttpTrigger
from kagent_render.lower import Workload
from kagent_render.specs.scaling import Scaling


def problems(workload: Workload, scaling: Scaling) -> Iterator[Problem]:
    """Every defect of a workload's scaling; locations begin with `scaling`."""
    yield from _bounds(scaling)
    yield from _zero(workload, scaling)
    yield from _requests(workload, scaling)
    yield from _fallback(scaling)
    yield from _names(scaling)
    for index, trigger in enumerate(scaling.triggers):
        if isinstance(trigger, CronTrigger) and trigger.start.split() == trigger.end.split():
            message = f"`{trigger.start}` is both start and end of the window"
            yield Problem("KR525", message, ("scaling", "triggers", index, "end"), "give the window an end")


def _bounds(scaling: Scaling) -> Iterator[Problem]:
    if scaling.min_replicas > scaling.max_replicas:
        message = f"minReplicas `{scaling.min_replicas}` is more than maxReplicas `{scaling.max_replicas}`"
        yield Problem("KR520", message, ("scaling", "minReplicas"), f"set maxReplicas: {scaling.min_replicas}")
    if scaling.idle_replicas is not None and scaling.idle_replicas >= scaling.min_replicas:
        message = f"idleReplicas `{scaling.idle_replicas}` is not less than minReplicas `{scaling.min_replicas}`"
        yield Problem("KR520", message, ("scaling", "idleReplicas"), "remove idleReplicas: minReplicas 0 says it")


def _zero(workload: Workload, scaling: Scaling) -> Iterator[Problem]:
    if scaling.min_replicas == 0 and all(trigger.measures_pods for trigger in scaling.triggers):
        types = " and ".join(sorted({f"`{trigger.type}`" for trigger in scaling.triggers}))
        help = "set minReplicas: 1, or add a trigger that needs no pod, such as cron or prometheus"
        yield Problem("KR521", f"{types} cannot start the first pod", ("scaling", "minReplicas"), help)
    if workload.forgets and (scaling.min_replicas == 0 or scaling.idle_replicas == 0):
        field = "minReplicas" if scaling.min_replicas == 0 else "idleReplicas"
        message = f"with `{field}: 0` the last pod goes, and the conversations in it"
        help = "keep conversations (persistence of the Platform or the workload), or set minReplicas: 1"
        yield Problem("KR532", message, ("scaling", field), help)


def _requests(workload: Workload, scaling: Scaling) -> Iterator[Problem]:
    for index, trigger in enumerate(scaling.triggers):
        if trigger.measures_pods and getattr(workload.resources.requests, trigger.keda_type) is None:
            message = f"`{trigger.keda_type}` is measured against a request, and `{workload.name}` has none"
            help = f"add resources.requests.{trigger.keda_type}"
            yield Problem("KR522", message, ("scaling", "triggers", index, "type"), help)


def _fallback(scaling: Scaling) -> Iterator[Problem]:
    if scaling.fallback and all(trigger.measures_pods for trigger in scaling.triggers):
        message = "a fallback needs a trigger other than `cpu` and `memory`"
        yield Problem("KR523", message, ("scaling", "fallback"), "remove the fallback")


def _names(scaling: Scaling) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, trigger in enumerate(scaling.triggers):
        if trigger.name in seen:
            message = f"two triggers have the name `{trigger.name}`"
            yield Problem("KR524", message, ("scaling", "triggers", index, "name"), "rename one of them")
        seen |= {trigger.name} if trigger.name else set()
    routes = [index for index, trigger in enumerate(scaling.triggers) if isinstance(trigger, HttpTrigger)]
    for index in routes[1:]:
        message = "there is one `http` trigger already"
        yield Problem("KR524", message, ("scaling", "triggers", index, "type"), "give the first one both metrics")
