"""What the CEL rules of KEDA's CRDs say of the fields that we render.

Source: github.com/kedacore/keda and http-add-on, config/crd: `x-kubernetes-validations` of ScaledObject and
InterceptorRoute.
"""

from __future__ import annotations

from kagent_render.rules.grammar import shown
from kagent_render.rules.walk import JSON, Found, part
from kagent_render.schemas import Defect
from kagent_render.schemas.validator import Path

_MOST_REPLICAS = 100


def scaled_object(item: JSON, path: Path) -> Found:
    """No more replicas at least than at most."""
    spec = part(item, "spec")
    least, most = spec.get("minReplicaCount"), spec.get("maxReplicaCount")
    if least is not None and least > (_MOST_REPLICAS if most is None else most):
        yield Defect((*path, "spec", "minReplicaCount"), f"{shown(least)} is more than `maxReplicaCount`")


def interceptor_route(item: JSON, path: Path) -> Found:
    """A metric, and one port."""
    spec = part(item, "spec")
    metric = part(spec, "scalingMetric")
    if metric.get("concurrency") is None and metric.get("requestRate") is None:
        yield Defect((*path, "spec", "scalingMetric"), "has neither `concurrency` nor `requestRate`")
    yield from _port(part(spec, "target"), (*path, "spec", "target"))
    cold = spec.get("coldStart")
    if cold is None:
        return
    place = (*path, "spec", "coldStart")
    if cold.get("fallback") is None and cold.get("placeholder") is None:
        yield Defect(place, "has neither `fallback` nor `placeholder`")
    service = part(cold, "fallback", "service")
    if service:
        yield from _port(service, (*place, "fallback", "service"))
    answer = part(cold, "placeholder", "response")
    if answer.get("body") is not None and answer.get("bodyFromConfigMap") is not None:
        yield Defect((*place, "placeholder", "response", "body"), "may not be there beside `bodyFromConfigMap`")


def _port(target: JSON, path: Path) -> Found:
    if (target.get("port") is None) == (target.get("portName") is None):
        yield Defect(path, "has to have exactly one of `port` and `portName`")
