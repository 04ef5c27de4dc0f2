"""Kubernetes resources as a tool is granted them, and the names a model may call them by."""

from __future__ import annotations

from dataclasses import dataclass

from kagent_runtime.model import KubernetesTool

# The short names of Kubernetes itself (`kubectl api-resources`); tests/contract holds them to the compiler's list.
_SHORT = {
    "cj": "cronjobs",
    "cm": "configmaps",
    "deploy": "deployments",
    "ds": "daemonsets",
    "ep": "endpoints",
    "ev": "events",
    "hpa": "horizontalpodautoscalers",
    "ing": "ingresses",
    "limits": "limitranges",
    "netpol": "networkpolicies",
    "no": "nodes",
    "ns": "namespaces",
    "pc": "priorityclasses",
    "pdb": "poddisruptionbudgets",
    "po": "pods",
    "pv": "persistentvolumes",
    "pvc": "persistentvolumeclaims",
    "quota": "resourcequotas",
    "rc": "replicationcontrollers",
    "rs": "replicasets",
    "sa": "serviceaccounts",
    "sc": "storageclasses",
    "sts": "statefulsets",
    "svc": "services",
}


@dataclass(frozen=True, slots=True)
class Resource:
    """One granted resource."""

    resource: str
    version: str
    group: str
    namespaced: bool

    @property
    def path(self) -> str:
        """The path of its API group and version."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"


def granted(tool: KubernetesTool) -> list[Resource]:
    """The resources of a tool, in the order of its config."""
    names = [(name, True) for name in tool.resources] + [(name, False) for name in tool.cluster_resources]
    return [_parse(name, namespaced) for name, namespaced in names]


def _parse(name: str, namespaced: bool) -> Resource:
    resource, version, *group = name.split(".", 2)
    return Resource(resource, version, group[0] if group else "", namespaced)


def find(tool: KubernetesTool, name: str) -> Resource | None:
    """The granted resource of that plural, singular, kind, short name or `resource.group`, in any case."""
    wanted = name.strip().lower()
    plurals = {wanted, _SHORT.get(wanted, wanted), *_plurals(wanted)}
    for item in granted(tool):
        if item.resource in plurals or wanted in (f"{item.resource}.{item.group}", f"{item.resource}.{item.version}"):
            return item
    return None


def _plurals(singular: str) -> tuple[str, ...]:
    return (f"{singular}s", f"{singular}es", f"{singular.removesuffix('y')}ies")
