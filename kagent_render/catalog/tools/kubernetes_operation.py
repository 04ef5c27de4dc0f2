"""What one Kubernetes operation is: its arguments, and the RBAC that it needs on what is granted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kagent_render.catalog import kubernetes_resources as resources
from kagent_render.catalog.base import AccessRule
from kagent_render.catalog.kubernetes_resources import Resource

ALL_NAMESPACES = "*"
METRICS_GROUP, METRICS_VERSION = "metrics.k8s.io", "v1beta1"
# Another permission in the same scope: API group, resource, verb.
Further = tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """A built-in operation: its arguments (JSON Schema properties), the required ones, the verbs it uses.

    `defaults` are the resources it is granted without any named, `only` those it exists for; `also` is what it
    reads or writes beside one of them. One that changes the cluster waits for a person unless a spec says otherwise.
    """

    summary: str
    parameters: dict[str, dict[str, Any]]
    required: tuple[str, ...]
    verbs: tuple[str, ...]
    subresource: str = ""
    defaults: tuple[str, ...] = resources.READ_DEFAULT
    only: tuple[str, ...] = ()
    also: Mapping[str, Further] = field(default_factory=dict)
    is_changing: bool = False
    reads_metrics: bool = False
    # What it runs is named by a document, so that it is no built-in.
    takes_commands: bool = False
    # Open to everyone who is authenticated, by Kubernetes' own ClusterRole system:discovery: nothing is to be granted.
    reads_discovery: bool = False

    @property
    def names_resources(self) -> bool:
        """Whether it is a matter of choice what it is for."""
        return len(self.only) != 1

    def accepts(self, item: Resource) -> bool:
        """Whether it exists for a resource; any custom one may have the subresource `scale`."""
        return not self.only or item.resource in self.only or (self.subresource == "scale" and not item.kind)

    def requested(self, item: Resource) -> Resource:
        """What it asks the API server for: the metrics of pods are a resource of another group."""
        return replace(item, group=METRICS_GROUP, version=METRICS_VERSION) if self.reads_metrics else item

    def access(self, granted: list[Resource], namespaces: list[str], further: tuple[str, ...]) -> Iterator[AccessRule]:
        """The rules, no verb, resource or namespace more; `further` are verbs that the document adds."""
        for item in granted:
            path = f"{item.resource}/{self.subresource}" if self.subresource else item.resource
            for namespace in namespaces if item.namespaced else [ALL_NAMESPACES]:
                for verb in (*self.verbs, *further):
                    yield AccessRule(namespace, item.group, path, verb)
                for group, resource, verb in self.also.get(item.resource, ()):
                    yield AccessRule(namespace, group, resource, verb)
