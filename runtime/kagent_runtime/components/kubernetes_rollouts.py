"""Rollouts of Deployments, StatefulSets and DaemonSets: how far they are, and the revisions before.

The rules are those of kubectl (`polymorphichelpers/rollout_status.go`, `history.go` and `rollback.go`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kagent_runtime.components.cluster import request
from kagent_runtime.components.kubernetes_arguments import ArgumentError, Arguments, object_of, positive, title
from kagent_runtime.components.kubernetes_description import table, to_yaml
from kagent_runtime.components.resources import Resource
from kagent_runtime.model import KubernetesTool

_JSON = "application/json"
_REVISION, _CAUSE = "deployment.kubernetes.io/revision", "kubernetes.io/change-cause"
_HASHES = ("pod-template-hash", "controller-revision-hash")
Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Revision:
    """An earlier pod template. `patch` leads back to it: a JSON patch, or a strategic merge patch."""

    number: int
    created: str
    cause: str
    template: Object
    patch: Any


def rollout_status(tool: KubernetesTool, arguments: Arguments, timeout: float) -> str:
    """Whether a rollout is complete, and what it waits for. Raises ArgumentError and ClusterError."""
    resource, path, namespace = object_of(tool, arguments)
    item = json.loads(request(path, {}, _JSON, timeout))
    status, spec = item.get("status") or {}, item.get("spec") or {}
    name = title(resource, item["metadata"]["name"], namespace)
    if status.get("observedGeneration", 0) < item["metadata"].get("generation", 0):
        return f"{name}: in progress, its controller has not seen the newest spec yet"
    told = _STATUS[resource.resource](spec, status)
    return f"{name}: {told}"


def _deployment_status(spec: Object, status: Object) -> str:
    wanted, updated = spec.get("replicas", 1), status.get("updatedReplicas", 0)
    total, available = status.get("replicas", 0), status.get("availableReplicas", 0)
    if spec.get("paused"):
        return f"paused, {updated} of {wanted} replicas are updated"
    for condition in status.get("conditions") or []:
        if condition.get("type") == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded":
            return f"failed, it exceeded its progress deadline ({updated} of {wanted} updated, {available} available)"
    if updated < wanted:
        return f"in progress, {updated} of {wanted} new replicas have been updated"
    if total > updated:
        return f"in progress, {total - updated} old replicas are pending termination"
    if available < updated:
        return f"in progress, {available} of {updated} updated replicas are available"
    return f"complete, {available} replicas are updated and available"


def _daemon_set_status(spec: Object, status: Object) -> str:
    if (spec.get("updateStrategy") or {}).get("type", "RollingUpdate") != "RollingUpdate":
        return "not rolled out by itself: its update strategy is OnDelete"
    wanted, updated = status.get("desiredNumberScheduled", 0), status.get("updatedNumberScheduled", 0)
    available = status.get("numberAvailable", 0)
    if updated < wanted:
        return f"in progress, {updated} of {wanted} new pods have been updated"
    if available < wanted:
        return f"in progress, {available} of {wanted} updated pods are available"
    return f"complete, {available} pods are updated and available"


def _stateful_set_status(spec: Object, status: Object) -> str:
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return "not rolled out by itself: its update strategy is OnDelete"
    wanted, ready, updated = spec.get("replicas", 1), status.get("readyReplicas", 0), status.get("updatedReplicas", 0)
    if ready < wanted:
        return f"in progress, {ready} of {wanted} pods are ready"
    partition = (strategy.get("rollingUpdate") or {}).get("partition") or 0
    if partition and updated < wanted - partition:
        return f"in progress, {updated} of {wanted - partition} pods above the partition have been updated"
    if not partition and status.get("updateRevision") != status.get("currentRevision"):
        return f"in progress, {updated} of {wanted} pods are at the new revision"
    return f"complete, {ready} pods are ready" + (f" ({updated} above the partition updated)" if partition else "")


_STATUS = {
    "deployments": _deployment_status,
    "daemonsets": _daemon_set_status,
    "statefulsets": _stateful_set_status,
}


def rollout_history(tool: KubernetesTool, arguments: Arguments, timeout: float) -> str:
    """The revisions of a workload, or one of them in full. Raises ArgumentError and ClusterError."""
    resource, path, namespace = object_of(tool, arguments)
    live = json.loads(request(path, {}, _JSON, timeout))
    found = revisions(live, resource, path, timeout)
    name = title(resource, live["metadata"]["name"], namespace)
    if arguments.get("revision"):
        one = revision_of(found, positive(arguments["revision"]), name)
        return f"{name}, revision {one.number} ({one.created}):\n{to_yaml(one.template)}"
    if not found:
        return f"{name} has no revisions."
    rows = [[str(one.number), one.created, one.cause or "none", _images(one.template)] for one in found]
    return table([["REVISION", "CREATED", "CHANGE-CAUSE", "IMAGES"], *rows])


def revisions(live: Object, resource: Resource, path: str, timeout: float) -> list[Revision]:
    """The revisions of a workload, oldest first. Raises ClusterError."""
    kind = "replicasets" if resource.resource == "deployments" else "controllerrevisions"
    folder = path.rsplit("/", 2)[0]
    labels = ((live.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
    query = {"labelSelector": ",".join(f"{key}={value}" for key, value in sorted(labels.items()))} if labels else {}
    items = json.loads(request(f"{folder}/{kind}", query, _JSON, timeout)).get("items") or []
    read = _of_replica_set if kind == "replicasets" else _of_controller_revision
    own = [read(item) for item in items if _is_owned(item, live)]
    return sorted(own, key=lambda one: one.number)


def revision_of(found: list[Revision], number: int, name: str) -> Revision:
    """The revision of a number. Raises ArgumentError that says which there are."""
    for one in found:
        if one.number == number:
            return one
    there = ", ".join(str(one.number) for one in found) or "none"
    raise ArgumentError(f"{name} has no revision {number}; there are: {there}")


def current_revision(live: Object, found: list[Revision]) -> int:
    """The number of the revision that a workload is at."""
    own = (live["metadata"].get("annotations") or {}).get(_REVISION)
    return int(own) if own else max((one.number for one in found), default=0)


def _is_owned(item: Object, live: Object) -> bool:
    return any(
        owner.get("uid") == live["metadata"].get("uid") for owner in item["metadata"].get("ownerReferences") or []
    )


def _of_replica_set(item: Object) -> Revision:
    annotations = item["metadata"].get("annotations") or {}
    template = _without_hashes(item["spec"]["template"])
    patch = [{"op": "replace", "path": "/spec/template", "value": template}]
    return _revision(int(annotations.get(_REVISION, 0)), item, template, patch)


def _of_controller_revision(item: Object) -> Revision:
    data = item.get("data") or {}
    template = {key: value for key, value in data["spec"]["template"].items() if key != "$patch"}
    return _revision(int(item.get("revision", 0)), item, template, data)


def _revision(number: int, item: Object, template: Object, patch: Any) -> Revision:
    metadata = item["metadata"]
    cause = (metadata.get("annotations") or {}).get(_CAUSE, "")
    return Revision(number, str(metadata.get("creationTimestamp") or ""), cause, template, patch)


def _without_hashes(template: Object) -> Object:
    metadata = dict(template.get("metadata") or {})
    metadata["labels"] = {key: value for key, value in (metadata.get("labels") or {}).items() if key not in _HASHES}
    return {**template, "metadata": metadata}


def _images(template: Object) -> str:
    return ", ".join(
        str(container.get("image", "")) for container in (template.get("spec") or {}).get("containers") or []
    )
