"""The built-in Kubernetes resources and the names kubectl users know them by.

Source: `kubectl api-resources` of Kubernetes 1.36, stable versions only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Resource:
    """One API resource. `resource` is the plural that URLs and RBAC use."""

    group: str
    version: str
    resource: str
    kind: str
    singular: str
    short_names: tuple[str, ...] = ()
    namespaced: bool = True

    @property
    def full_name(self) -> str:
        """`resource.version.group`, the form in which kubectl takes any resource."""
        return f"{self.resource}.{self.version}.{self.group}".rstrip(".")


def _row(api: str, resource: str, kind: str, short: str = "", namespaced: bool = True) -> Resource:
    group, _, version = api.rpartition("/")
    return Resource(group, version, resource, kind, kind.lower(), tuple(short.split()), namespaced)


RESOURCES: tuple[Resource, ...] = (
    _row("v1", "configmaps", "ConfigMap", "cm"),
    _row("v1", "endpoints", "Endpoints", "ep"),
    _row("v1", "events", "Event", "ev"),
    _row("v1", "limitranges", "LimitRange", "limits"),
    _row("v1", "namespaces", "Namespace", "ns", False),
    _row("v1", "nodes", "Node", "no", False),
    _row("v1", "persistentvolumeclaims", "PersistentVolumeClaim", "pvc"),
    _row("v1", "persistentvolumes", "PersistentVolume", "pv", False),
    _row("v1", "pods", "Pod", "po"),
    _row("v1", "replicationcontrollers", "ReplicationController", "rc"),
    _row("v1", "resourcequotas", "ResourceQuota", "quota"),
    _row("v1", "secrets", "Secret"),
    _row("v1", "serviceaccounts", "ServiceAccount", "sa"),
    _row("v1", "services", "Service", "svc"),
    _row("apps/v1", "daemonsets", "DaemonSet", "ds"),
    _row("apps/v1", "deployments", "Deployment", "deploy"),
    _row("apps/v1", "replicasets", "ReplicaSet", "rs"),
    _row("apps/v1", "statefulsets", "StatefulSet", "sts"),
    _row("autoscaling/v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", "hpa"),
    _row("batch/v1", "cronjobs", "CronJob", "cj"),
    _row("batch/v1", "jobs", "Job"),
    _row("discovery.k8s.io/v1", "endpointslices", "EndpointSlice"),
    _row("networking.k8s.io/v1", "ingressclasses", "IngressClass", "", False),
    _row("networking.k8s.io/v1", "ingresses", "Ingress", "ing"),
    _row("networking.k8s.io/v1", "networkpolicies", "NetworkPolicy", "netpol"),
    _row("policy/v1", "poddisruptionbudgets", "PodDisruptionBudget", "pdb"),
    _row("rbac.authorization.k8s.io/v1", "clusterrolebindings", "ClusterRoleBinding", "", False),
    _row("rbac.authorization.k8s.io/v1", "clusterroles", "ClusterRole", "", False),
    _row("rbac.authorization.k8s.io/v1", "rolebindings", "RoleBinding"),
    _row("rbac.authorization.k8s.io/v1", "roles", "Role"),
    _row("scheduling.k8s.io/v1", "priorityclasses", "PriorityClass", "pc", False),
    _row("storage.k8s.io/v1", "storageclasses", "StorageClass", "sc", False),
)

_BY_NAME: dict[str, Resource] = {
    name.lower(): item
    for item in reversed(RESOURCES)
    for name in (item.resource, item.singular, *item.short_names, f"{item.resource}.{item.group}".rstrip("."))
}
_FULL_NAME = re.compile(r"([a-z][a-z0-9]*)\.(v[0-9][a-z0-9]*)\.([a-z0-9][-a-z0-9]*(?:\.[a-z0-9][-a-z0-9]*)+)\Z")

# What a read-only diagnosis needs. No secrets, no RBAC, nothing cluster-scoped: those are granted by naming them.
READ_DEFAULT: tuple[str, ...] = (
    "configmaps",
    "cronjobs",
    "daemonsets",
    "deployments",
    "endpointslices",
    "events",
    "horizontalpodautoscalers",
    "ingresses",
    "jobs",
    "networkpolicies",
    "persistentvolumeclaims",
    "poddisruptionbudgets",
    "pods",
    "replicasets",
    "services",
    "statefulsets",
)


def find(name: str) -> Resource | None:
    """A resource by plural, singular, kind, short name, or `resource.version.group` for a custom one."""
    known = _BY_NAME.get(name.lower())
    if known:
        return known
    match = _FULL_NAME.match(name)
    if not match:
        return None
    resource, version, group = match.groups()
    return Resource(group, version, resource, "", resource)


def names() -> list[str]:
    """Every plural, for did-you-mean."""
    return [item.resource for item in RESOURCES]
