"""KEDA: ScaledObject and the TriggerAuthentications it needs, when the workload scales.

Rules of KEDA's webhook: apis/keda/v1alpha1/scaledobject_webhook.go and scaletriggers_types.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kagent_render.catalog.base import Problem
from kagent_render.catalog.fields import SecretKeyReference
from kagent_render.catalog.triggers.base import Trigger, TriggerScope
from kagent_render.lower import Workload
from kagent_render.specs.scaling import Scaling
from kagent_render.targets import keda_rules, queue_rules
from kagent_render.targets.objects import metadata
from kagent_render.targets.templating import render

Parameters = dict[str, SecretKeyReference]
# KEDA copies the labels of a ScaledObject to its HPA, and Argo CD would take the HPA for one of its own by this one.
_HPA_LABELS = {"scaledobject.keda.sh/hpa-excluded-labels": "app.kubernetes.io/instance"}


def check(workload: Workload) -> Iterator[Problem]:
    """What KEDA would refuse, and what would leave tasks in a queue."""
    yield from queue_rules.problems(workload)
    if workload.scaling is not None and not workload.is_knative:
        yield from keda_rules.problems(workload, workload.scaling)


def objects(workload: Workload) -> Iterator[tuple[str, dict[str, Any]]]:
    """One ScaledObject, and one TriggerAuthentication unless triggers of one type have different Secrets."""
    scaling = workload.scaling
    if scaling is None or workload.is_knative:
        return
    groups = _authentications(scaling)
    for number, (_, parameters) in enumerate(groups, 1):
        name = _authentication_name(workload, number)
        file = "triggerauthentication.yaml" if number == 1 else f"triggerauthentication-{number}.yaml"
        context = {"metadata": metadata(workload, name), "parameters": _sorted(parameters)}
        yield file, render("keda/triggerauthentication.yaml.j2", context)
    yield "scaledobject.yaml", render("keda/scaledobject.yaml.j2", _scaled_object(workload, scaling, groups))


def _scaled_object(workload: Workload, scaling: Scaling, groups: list[tuple[set[str], Parameters]]) -> dict[str, Any]:
    fields = metadata(workload)
    return {
        "metadata": fields | {"annotations": fields.get("annotations", {}) | _HPA_LABELS},
        "name": workload.name,
        "polling_interval": scaling.polling_interval_seconds,
        "cooldown": scaling.cooldown_seconds,
        "idle_replicas": scaling.idle_replicas,
        "min_replicas": scaling.min_replicas,
        "max_replicas": scaling.max_replicas,
        "fallback": scaling.fallback.model_dump(by_alias=True) if scaling.fallback else None,
        "advanced": _advanced(scaling),
        "triggers": [_trigger(workload, trigger, groups) for trigger in scaling.triggers],
    }


def _advanced(scaling: Scaling) -> dict[str, Any]:
    # A ScaledObject that is deleted leaves the number of pods as it is.
    fields: dict[str, Any] = {"restoreToOriginalReplicaCount": False}
    if scaling.stabilization_window_seconds is None:
        return fields
    behavior = {"scaleDown": {"stabilizationWindowSeconds": scaling.stabilization_window_seconds}}
    return fields | {"horizontalPodAutoscalerConfig": {"behavior": behavior}}


def _trigger(workload: Workload, trigger: Trigger, groups: list[tuple[set[str], Parameters]]) -> dict[str, Any]:
    scope = TriggerScope(workload.name, workload.platform.http_interceptor.namespace)
    fields: dict[str, Any] = {"type": trigger.keda_type}
    if trigger.name:
        fields["name"] = trigger.name
    if trigger.measures_pods:
        fields["metricType"] = "Utilization"
    fields["metadata"] = trigger.metadata(scope)
    if wanted := trigger.secrets():
        number = next(i for i, (types, have) in enumerate(groups, 1) if _holds(trigger, wanted, types, have))
        fields["authenticationRef"] = {"name": _authentication_name(workload, number)}
    return fields


def _authentications(scaling: Scaling) -> list[tuple[set[str], Parameters]]:
    """Types of triggers, and their parameters. Types have different parameters; two of one type may not share."""
    groups: list[tuple[set[str], Parameters]] = []
    for trigger in scaling.triggers:
        wanted = trigger.secrets()
        if not wanted or any(_holds(trigger, wanted, *group) for group in groups):
            continue
        free = next((group for group in groups if trigger.keda_type not in group[0]), None)
        if free is None:
            groups.append(({trigger.keda_type}, dict(wanted)))
        else:
            free[0].add(trigger.keda_type)
            free[1].update(wanted)
    return groups


def _holds(trigger: Trigger, wanted: Parameters, types: set[str], have: Parameters) -> bool:
    same = {name: have.get(name) for name in trigger.secret_parameters}
    return trigger.keda_type in types and same == {name: wanted.get(name) for name in trigger.secret_parameters}


def _authentication_name(workload: Workload, number: int) -> str:
    return workload.name if number == 1 else f"{workload.name}-{number}"


def _sorted(parameters: Parameters) -> list[dict[str, str]]:
    return [{"name": name, "secret": parameters[name].name, "key": parameters[name].key} for name in sorted(parameters)]
