"""What Knative's webhook refuses, found at the field that asks for it before anything is rendered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic.alias_generators import to_snake

from kagent_render.catalog.base import Problem
from kagent_render.lower import Workload
from kagent_render.targets.knative_pod import ACCEPTED, CONTAINER_ACCEPTED, LEFT_OUT, MOVED

_RESERVED_VARIABLES = {"PORT", "K_SERVICE", "K_CONFIGURATION", "K_REVISION"}
_INSTEAD = "run this workload as a Deployment"
_OWN_KEYS = ("autoscaling.knative.dev/", "serving.knative.dev/")


def problems(workload: Workload, template: dict[str, Any]) -> Iterator[Problem]:
    """Every defect of a workload that Knative runs; `template` is the pod that a Deployment would have."""
    yield from _scale(workload)
    yield from _fields(workload, template["spec"])
    container, *others = template["spec"]["containers"]
    for other in others:
        yield _refused(f"the container `{other['name']}` beside the agent", (), _INSTEAD)
    yield from _container(workload, container)
    for volume in template["spec"]["volumes"]:
        if "persistentVolumeClaim" in volume and volume["name"] != "state":  # of that KR571 tells
            what = f"the PersistentVolumeClaim `{volume['name']}`"
            yield _refused(what, _near(workload, "volumes"), _INSTEAD)
    yield from _annotations(workload)
    if workload.platform.ingress and workload.namespace is None:
        message = f"`{workload.name}` has no namespace to route requests to"
        yield Problem("KR530", message, (), "set metadata.namespace, or pass --namespace")


def _refused(what: str, place: tuple[int | str, ...], help: str) -> Problem:
    return Problem("KR530", f"Knative refuses {what}", place, help)


def _fields(workload: Workload, pod: dict[str, Any]) -> Iterator[Problem]:
    for field in pod:
        place = _said(workload, field)
        if field == "initContainers" and workload.sidecars:
            yield from _sidecars(workload)
        elif field not in ACCEPTED and (place or field not in LEFT_OUT):
            yield _refused(f"`{field}`", place, f"remove {field}, or {_INSTEAD}")
    for field in pod.get("securityContext", {}):
        if field not in (*MOVED, "fsGroup"):
            yield _refused(f"`securityContext.{field}`", (), f"remove {field}, or {_INSTEAD}")


def _sidecars(workload: Workload) -> Iterator[Problem]:
    for server in workload.sidecars:
        help = f"write `placement: Deployment` in the Tool `{server.name}`, or {_INSTEAD}"
        yield _refused(f"the sidecar of the tool `{server.name}`", (), help)


def _scale(workload: Workload) -> Iterator[Problem]:
    knative = workload.knative
    if workload.scaling is not None:
        yield Problem(
            "KR528",
            "Knative scales its Services itself",
            ("scaling",),
            "remove scaling and use knative, or set type: Deployment",
        )
    if place := _said(workload, "replicas"):
        yield _refused("`replicas`", place, "use knative.minScale and knative.maxScale")
    if knative.min_scale > knative.max_scale:
        message = f"minScale `{knative.min_scale}` is more than maxScale `{knative.max_scale}`"
        place = (*_near(workload, "knative"), "minScale")
        yield Problem("KR531", message, place, f"set maxScale: {knative.min_scale}")
    if knative.min_scale == 0 and workload.forgets:
        place = _near(workload, "knative", "minScale") or _said(workload, "type") or ()
        message = "with `minScale: 0` the last pod goes, and the conversations in it"
        help = "keep conversations in a database (persistence.database), or set knative.minScale: 1"
        yield Problem("KR532", message, place, help)


def _container(workload: Workload, container: dict[str, Any]) -> Iterator[Problem]:
    for field in container:
        if field not in CONTAINER_ACCEPTED:
            yield _refused(f"`{field}` of the container", (), f"remove {field}, or {_INSTEAD}")
    for port in container.get("ports", [])[1:]:
        yield _refused(f"a second port, `{port['name']}` {port['containerPort']}", (), _INSTEAD)
    for variable in container.get("env", []):
        yield from _variable(workload, variable)
    for mount in container["volumeMounts"]:
        if mount["name"] not in _writable(workload) and not mount.get("readOnly"):
            yield _refused(f"the writable volume `{mount['name']}`", _near(workload, "volumes"), "set readOnly: true")


def _variable(workload: Workload, variable: dict[str, Any]) -> Iterator[Problem]:
    if variable["name"] in _RESERVED_VARIABLES:
        yield _refused(f"the variable `{variable['name']}`", _near(workload, "env"), "rename it")
    source = variable.get("valueFrom", {})
    if variable["name"] != "POD_NAMESPACE" and not {"secretKeyRef", "configMapKeyRef"} & set(source) and source:
        yield _refused(f"the source of `{variable['name']}`", (), "give it a value, or a key of a Secret or ConfigMap")


def _writable(workload: Workload) -> set[str]:
    """Volumes of a Deployment that are emptyDirs: ours, and those asked for."""
    mounts = workload.needs.mounts
    asked = {mount.name for mount in mounts if not (mount.secret or mount.config_map)}
    return {"state", "tmp"} | asked


def _annotations(workload: Workload) -> Iterator[Problem]:
    for key in sorted(workload.annotations):
        if key.startswith("autoscaling.knative.dev/"):
            yield _refused(f"`{key}` on the Service", (), "use knative: minScale, maxScale, target, windowSeconds")
    for key in sorted(workload.placement.pod_annotations or {}):
        if key.startswith(_OWN_KEYS):
            place = _said(workload, "podAnnotations") or ()
            yield _refused(f"`{key}` besides its own", place, "use knative: minScale, maxScale, target, windowSeconds")


def _said(workload: Workload, field: str) -> tuple[str, ...]:
    """Where a field of `workload` was said: by the workload, else by the Platform; empty for a default of ours."""
    place = workload.places.get(to_snake(field))
    if place is not None and place.location[:2] == ("spec", "workload"):
        return (field,)
    return ("workload", field) if to_snake(field) in workload.platform.workload.model_fields_set else ()


def _near(workload: Workload, field: str, below: str = "") -> tuple[str, ...]:
    """A field of the workload or of the Platform, where one is set; `below` only if that is set in it."""
    place = workload.places.get(to_snake(field))
    if place is None:
        return _said(workload, field)
    model = getattr(workload, to_snake(field), None)
    if not below:
        return (field,)
    return (field, below) if model is not None and to_snake(below) in model.model_fields_set else (field,)
