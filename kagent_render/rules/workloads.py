"""Deployments.

Source: k8s.io/kubernetes, pkg/apis/apps/validation/validation.go: ValidateDeploymentSpec.
"""

from __future__ import annotations

from kagent_render.rules.metadata import template_metadata
from kagent_render.rules.pods import pod_spec
from kagent_render.rules.selectors import label_selector, selects
from kagent_render.rules.walk import JSON, Found, int_or_percent, not_below, one_of, part
from kagent_render.schemas import Defect
from kagent_render.schemas.validator import Path

_NUMBERS = ("replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds")
_DEADLINE_SECONDS = 600


def deployment(item: JSON, path: Path) -> Found:
    """Everything of a Deployment."""
    spec, place = part(item, "spec"), (*path, "spec")
    for rule in (_numbers, _selector, _strategy, _template):
        yield from rule(spec, place)


def _numbers(spec: JSON, path: Path) -> Found:
    for name in _NUMBERS:
        yield from not_below(spec, name, 0, path)
    deadline = spec.get("progressDeadlineSeconds")
    if (_DEADLINE_SECONDS if deadline is None else deadline) <= (spec.get("minReadySeconds") or 0):
        yield Defect((*path, "progressDeadlineSeconds"), "has to be more than `minReadySeconds`")


def _selector(spec: JSON, path: Path) -> Found:
    selector = part(spec, "selector")
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield Defect((*path, "selector"), "is empty, which would select every pod")
    yield from label_selector(selector, (*path, "selector"))
    if not selects(selector, part(spec, "template", "metadata", "labels")):
        yield Defect((*path, "template", "metadata", "labels"), "is not what `selector` selects")


def _strategy(spec: JSON, path: Path) -> Found:
    strategy, place = part(spec, "strategy"), (*path, "strategy")
    yield from one_of(strategy, "type", ("Recreate", "RollingUpdate"), place)
    rolling = strategy.get("rollingUpdate")
    if strategy.get("type") == "Recreate" and rolling is not None:
        yield Defect((*place, "rollingUpdate"), "may not be there for the type `Recreate`")
    elif rolling is not None:
        yield from _rolling(rolling, (*place, "rollingUpdate"))


def _rolling(rolling: JSON, path: Path) -> Found:
    """ValidateRollingUpdateDeployment."""
    for name in ("maxSurge", "maxUnavailable"):
        yield from int_or_percent(rolling, name, path)
    yield from not_over_100_percent(rolling, "maxUnavailable", path)
    # An absent one is 25%.
    if all(rolling.get(name) in (0, "0%") for name in ("maxSurge", "maxUnavailable")):
        yield Defect((*path, "maxUnavailable"), "may not be 0 where `maxSurge` is 0")


def not_over_100_percent(item: JSON, key: str, path: Path) -> Found:
    """IsNotMoreThan100Percent."""
    value = item.get(key)
    if isinstance(value, str) and value[:-1].isdecimal() and value[-1:] == "%" and int(value[:-1]) > 100:
        yield Defect((*path, key), f"`{value}` is more than 100%")


def _template(spec: JSON, path: Path) -> Found:
    """ValidatePodTemplateSpecForReplicaSet."""
    template, place = part(spec, "template"), (*path, "template")
    pod = part(template, "spec")
    yield from template_metadata(part(template, "metadata"), (*place, "metadata"))
    yield from pod_spec(pod, (*place, "spec"))
    if pod.get("restartPolicy") in ("OnFailure", "Never"):
        yield Defect((*place, "spec", "restartPolicy"), f"has to be `Always`, not `{pod['restartPolicy']}`")
    if pod.get("activeDeadlineSeconds") is not None:
        yield Defect((*place, "spec", "activeDeadlineSeconds"), "may not be there for pods that run for ever")
