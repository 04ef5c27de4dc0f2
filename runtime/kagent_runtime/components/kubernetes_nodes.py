"""Nodes: kept free of new pods, and emptied by evictions. The rules are those of kubectl (`drain/filters.go`)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from kagent_runtime.components.cluster import ClusterError, request, send
from kagent_runtime.components.kubernetes_arguments import Arguments, name_of
from kagent_runtime.components.kubernetes_plan import MERGE_PATCH, Patch, Plan, patched, read
from kagent_runtime.components.resources import granted
from kagent_runtime.model import KubernetesTool

_MIRROR = "kubernetes.io/config.mirror"
Pod = Mapping[str, Any]


def cordon(tool: KubernetesTool, arguments: Arguments, timeout: float) -> Plan:
    """Keep new pods off a node. Raises ArgumentError and ClusterError."""
    return _marked(tool, arguments, True, timeout)


def uncordon(tool: KubernetesTool, arguments: Arguments, timeout: float) -> Plan:
    """Let new pods onto a node again. Raises ArgumentError and ClusterError."""
    return _marked(tool, arguments, None, timeout)


def _marked(tool: KubernetesTool, arguments: Arguments, value: bool | None, timeout: float) -> Plan:
    (resource,) = granted(tool)
    name = name_of(arguments["name"])
    path = f"{resource.path}/{resource.resource}/{name}"
    live = read(path, timeout)
    patch = Patch(path, {"spec": {"unschedulable": value}}, MERGE_PATCH, timeout)
    plan = patched(patch, live, resource, f"nodes/{name}", "cordoned" if value else "uncordoned")
    return Plan(f"{'cordon' if value else 'uncordon'}: {plan.preview}", plan.commit)


def drain(tool: KubernetesTool, arguments: Arguments, timeout: float) -> Plan:
    """Cordon a node and evict its pods. Raises ArgumentError and ClusterError."""
    name = name_of(arguments["name"]) or ""
    mark = cordon(tool, {"name": name}, timeout)
    listed = request("/api/v1/pods", {"fieldSelector": f"spec.nodeName={name}"}, "application/json", timeout)
    evicted: list[tuple[str, str, Pod]] = []
    kept: list[tuple[str, str, Pod]] = []
    for pod in json.loads(listed).get("items") or []:
        why = _why_kept(pod, loses_data=arguments.get("deleteEmptyDirData") is True)
        (kept if why else evicted).append((_title(pod), why, pod))
    lines = [f"drain nodes/{name}: {mark.preview}", f"evict {len(evicted)} pods:"]
    lines += [f"  {title}" for title, _, _ in sorted(evicted, key=_first)]
    lines += [f"leave {len(kept)} pods:"] + [f"  {title}: {why}" for title, why, _ in sorted(kept, key=_first)]
    return Plan("\n".join(lines), _drained(name, mark, [pod for _, _, pod in evicted], kept, timeout))


def _first(item: tuple[str, str, Pod]) -> str:
    return item[0]


def _drained(
    name: str, mark: Plan, pods: list[Pod], kept: list[tuple[str, str, Pod]], timeout: float
) -> Callable[[], str]:
    def commit() -> str:
        # Within the time of one call: what is left is told, and the tool is called again.
        end = time.monotonic() + timeout * 0.6
        mark.commit()
        outcomes = []
        for pod in pods:
            outcome = _evict(pod, timeout) if time.monotonic() < end else "not tried yet"
            outcomes.append(f"{_title(pod)}: {outcome}")
        held = sum(not line.endswith(": evicted") for line in outcomes)
        outcomes += [f"{title}: left, {why}" for title, why, _ in kept]
        ending = f"{held} pods are still there: wait, and drain it again." if held else "Nothing is left to evict."
        return "\n".join([f"nodes/{name} is cordoned.", *outcomes, ending])

    return commit


def _evict(pod: Pod, timeout: float) -> str:
    metadata = pod["metadata"]
    path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/eviction"
    about = {"name": metadata["name"], "namespace": metadata["namespace"]}
    body: dict[str, Any] = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": about}
    body["deleteOptions"] = {"preconditions": {"uid": metadata["uid"]}}
    try:
        send("POST", path, {}, timeout, body=body)
    except ClusterError as error:
        if error.status == 404:
            return "evicted"  # it has gone by itself
        return f"held by its PodDisruptionBudget ({error})" if error.status == 429 else f"not evicted ({error})"
    return "evicted"


def _why_kept(pod: Pod, *, loses_data: bool) -> str:
    """Why a pod stays on the node; "" when it is evicted."""
    metadata, phase = pod["metadata"], (pod.get("status") or {}).get("phase")
    owners = [owner for owner in metadata.get("ownerReferences") or [] if owner.get("controller")]
    if _MIRROR in (metadata.get("annotations") or {}):
        return "a static pod of the node"
    if any(owner.get("kind") == "DaemonSet" for owner in owners):
        return f"of the DaemonSet {owners[0].get('name')}"
    if not owners:
        return "no controller would make it again"
    if metadata.get("deletionTimestamp"):
        return "is being deleted"
    volumes = (pod.get("spec") or {}).get("volumes") or []
    if phase not in ("Succeeded", "Failed") and not loses_data and any("emptyDir" in volume for volume in volumes):
        return "its emptyDir would lose its data (deleteEmptyDirData)"
    return ""


def _title(pod: Pod) -> str:
    return f"{pod['metadata'].get('namespace', '')}/{pod['metadata']['name']}"
