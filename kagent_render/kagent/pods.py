"""The `deployment` block of a kagent Agent to our `workload`."""

from __future__ import annotations

from typing import Any

from kagent_render.kagent.fields import Fields
from kagent_render.kagent.spec import Spec

_ALIKE = {
    "replicas": "replicas",
    "resources": "resources",
    "nodeSelector": "nodeSelector",
    "tolerations": "tolerations",
    "affinity": "affinity",
    "topologySpreadConstraints": "topologySpreadConstraints",
    "labels": "podLabels",
    "annotations": "podAnnotations",
}
_SOURCES = {"configMap": ("configMap", "name"), "secret": ("secret", "secretName")}


def convert(deployment: Fields, out: Spec) -> None:
    """Everything of a pod that a workload may set; the rest stays for the report."""
    for name, ours in _ALIKE.items():
        out.put(f"workload.{ours}", deployment.take(name), deployment.at(name))
    pull_secrets = [item.text("name") for item in deployment.each("imagePullSecrets")]
    out.put("workload.imagePullSecrets", pull_secrets, deployment.at("imagePullSecrets"))
    account = deployment.below("serviceAccountConfig")
    out.put("workload.serviceAccountAnnotations", account.take("annotations"), account.at("annotations"))
    variables = [found for item in deployment.each("env") if (found := _variable(item))]
    out.put("workload.env", variables, deployment.at("env"))
    out.put("workload.volumes", _volumes(deployment), deployment.at("volumes"))


def _variable(item: Fields) -> dict[str, Any] | None:
    source = item.below("valueFrom")
    for kind, ours in (("secretKeyRef", "secretRef"), ("configMapKeyRef", "configMapRef")):
        if source.has(kind):
            reference = source.below(kind)
            return {"name": item.take("name"), ours: {"name": reference.take("name"), "key": reference.take("key")}}
    if "value" in item.data:
        return {"name": item.take("name"), "value": str(item.take("value", ""))}
    return None


def _volumes(deployment: Fields) -> list[dict[str, Any]]:
    mounts = {str(item.data.get("name")): item for item in deployment.each("volumeMounts")}
    found = []
    for volume in deployment.each("volumes"):
        name = str(volume.data.get("name"))
        source = _source(volume)
        if source is None or name not in mounts or set(mounts[name].data) - {"name", "mountPath", "readOnly"}:
            continue  # named in the report
        mount = mounts[name]
        mount.take("name"), volume.take("name")
        entry = {"name": name, "mountPath": mount.take("mountPath")} | source
        if mount.take("readOnly") is not True and ("persistentVolumeClaim" in entry or "emptyDir" in entry):
            entry["readOnly"] = False
        found.append(entry)
    return found


def _source(volume: Fields) -> dict[str, Any] | None:
    for kind, (ours, key) in _SOURCES.items():
        if volume.has(kind) and set(volume.data[kind]) == {key}:
            return {ours: volume.below(kind).take(key)}
    if volume.has("persistentVolumeClaim"):
        claim = volume.below("persistentVolumeClaim")
        return {"persistentVolumeClaim": claim.take("claimName")}
    if "emptyDir" in volume.data and set(volume.data["emptyDir"] or {}) <= {"sizeLimit"}:
        return {"emptyDir": volume.take("emptyDir", {})}
    return None
