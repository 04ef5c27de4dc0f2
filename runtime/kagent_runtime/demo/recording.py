"""The recorded objects and logs of the sample cluster, with their times moved to a given start."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

Object = dict[str, Any]
_AGE = re.compile(r"@\{(\d+)\}")

# (group/version, plural) -> kind; only those with a file in sample/ hold objects.
KINDS: dict[tuple[str, str], str] = {
    ("v1", "namespaces"): "Namespace",
    ("v1", "nodes"): "Node",
    ("v1", "configmaps"): "ConfigMap",
    ("v1", "events"): "Event",
    ("v1", "persistentvolumeclaims"): "PersistentVolumeClaim",
    ("v1", "pods"): "Pod",
    ("v1", "replicationcontrollers"): "ReplicationController",
    ("v1", "resourcequotas"): "ResourceQuota",
    ("v1", "limitranges"): "LimitRange",
    ("v1", "services"): "Service",
    ("v1", "serviceaccounts"): "ServiceAccount",
    ("v1", "endpoints"): "Endpoints",
    ("apps/v1", "daemonsets"): "DaemonSet",
    ("apps/v1", "deployments"): "Deployment",
    ("apps/v1", "replicasets"): "ReplicaSet",
    ("apps/v1", "statefulsets"): "StatefulSet",
    ("batch/v1", "cronjobs"): "CronJob",
    ("batch/v1", "jobs"): "Job",
    ("networking.k8s.io/v1", "ingresses"): "Ingress",
    ("networking.k8s.io/v1", "networkpolicies"): "NetworkPolicy",
    ("discovery.k8s.io/v1", "endpointslices"): "EndpointSlice",
    ("autoscaling/v2", "horizontalpodautoscalers"): "HorizontalPodAutoscaler",
    ("policy/v1", "poddisruptionbudgets"): "PodDisruptionBudget",
}
CLUSTER_SCOPED = frozenset({"namespaces", "nodes"})
_NAMESPACE_AGE = 60 * 86_400


@dataclass(frozen=True)
class Recording:
    """What the sample cluster answers from; nothing in it changes after it was loaded."""

    namespace: str
    start: datetime
    objects: dict[tuple[str, str], list[Object]]
    logs: dict[str, dict[str, dict[str, list[str]]]]  # pod -> container -> current|previous -> lines


def load(namespace: str, start: datetime) -> Recording:
    """Read the data files: `@{600}` in a text becomes the time 600 seconds before `start`."""

    def moved(text: str) -> str:
        return _AGE.sub(lambda match: _rfc3339(start - timedelta(seconds=int(match[1]))), text)

    def read(name: str) -> Any:
        text = (files("kagent_runtime.demo") / "sample" / name).read_text(encoding="utf-8")
        return _each_text(json.loads(text), lambda value: moved(value.replace("{namespace}", namespace)))

    recorded = {path.name for path in (files("kagent_runtime.demo") / "sample").iterdir()}
    objects = {key: read(f"{key[1]}.json")["items"] if f"{key[1]}.json" in recorded else [] for key in KINDS}
    created = _rfc3339(start - timedelta(seconds=_NAMESPACE_AGE))
    objects["v1", "namespaces"] = [_namespace(namespace, created)]
    return Recording(namespace, start, objects, read("logs.json"))


def _rfc3339(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _each_text(node: Any, change: Callable[[str], str]) -> Any:
    if isinstance(node, dict):
        return {key: _each_text(value, change) for key, value in node.items()}
    if isinstance(node, list):
        return [_each_text(value, change) for value in node]
    return change(node) if isinstance(node, str) else node


def _namespace(name: str, created: str) -> Object:
    labels = {"kubernetes.io/metadata.name": name}
    metadata = {
        "name": name,
        "uid": "5a3e1c02-7d44-4b0e-9a51-0c6f2b8d9e11",
        "resourceVersion": "1021",
        "labels": labels,
    }
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": metadata | {"creationTimestamp": created},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }
