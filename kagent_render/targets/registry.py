"""The registry of targets, and their order: that of installation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from kagent_render.diagnostics import Diagnostics, Span
from kagent_render.lower import Workload
from kagent_render.targets import deployment, disruption, external_secret, gateway, keda, network_policy, rbac
from kagent_render.targets.objects import RenderedObject
from kagent_render.targets.templating import TemplateError

# As Argo CD and Flux apply them; `kubectl apply -f -` takes the order of the stream.
_INSTALL_ORDER = (
    "ServiceAccount",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "NetworkPolicy",
    "ConfigMap",
    "ExternalSecret",
    "Service",
    "Deployment",
    "PodDisruptionBudget",
    "ScaledObject",
    "HTTPRoute",
)
KINDS = frozenset(_INSTALL_ORDER)


class Target(Protocol):
    """A module of `targets`."""

    def objects(self, workload: Workload) -> Iterator[tuple[str, dict[str, Any]]]:
        """File name and object."""


TARGETS: tuple[Target, ...] = (deployment, rbac, network_policy, disruption, keda, gateway)


def render(workloads: Sequence[Workload], diagnostics: Diagnostics) -> list[RenderedObject]:
    """What workloads share, then every object of each, in the order of installation."""
    rendered = list(external_secret.shared_objects(workloads))
    for workload in workloads:
        try:
            rendered.extend(sorted(_objects(workload), key=_order))
        except TemplateError as error:
            span = Span(f"templates/{error.template}", max(error.line, 1), 1)
            diagnostics.add("KR401", error.message, span)
    return rendered


def _objects(workload: Workload) -> Iterator[RenderedObject]:
    for target in TARGETS:
        for file, data in target.objects(workload):
            yield RenderedObject(data, f"{workload.directory}/{file}", workload.origin)


def _order(item: RenderedObject) -> tuple[int, str, str]:
    return (_INSTALL_ORDER.index(item.data["kind"]), item.identity[2], item.identity[3])
