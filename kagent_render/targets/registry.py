"""The registry of targets, and their order: that of installation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any, Protocol, runtime_checkable

from pydantic.alias_generators import to_snake

from kagent_render.catalog.base import Problem
from kagent_render.diagnostics import Diagnostics, Label, Span
from kagent_render.lower import Pods, ServerWorkload, Workload
from kagent_render.targets import (
    authentication,
    certificate,
    cilium,
    dapr,
    dashboard,
    deployment,
    disruption,
    external_secret,
    gateway,
    http_scaling,
    keda,
    knative,
    monitoring,
    network_policy,
    persistence,
    python_files,
    rbac,
    server,
)
from kagent_render.targets.objects import RenderedObject
from kagent_render.targets.templating import TemplateError, shown_path

# As Argo CD and Flux apply them; `kubectl apply -f -` takes the order of the stream.
_INSTALL_ORDER = (
    "ServiceAccount",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "NetworkPolicy",
    "CiliumNetworkPolicy",
    "ConfigMap",
    "PersistentVolumeClaim",
    "ExternalSecret",
    "Certificate",
    "ReferenceGrant",
    "TriggerAuthentication",
    "Component",
    "Subscription",
    "Service",
    "Deployment",
    "PodDisruptionBudget",
    "InterceptorRoute",
    "ScaledObject",
    "HTTPRoute",
    "BackendTLSPolicy",
    "PodMonitor",
    "ServiceMonitor",
    "PrometheusRule",
)
KINDS = frozenset(_INSTALL_ORDER)
_SUBSTITUTE = "kustomize.toolkit.fluxcd.io/substitute"


class Target(Protocol):
    """A module of `targets`. One may also have `check(workload) -> Iterator[Problem]`: what the target's webhook or
    controller would refuse. A problem's location starts with a field of the Platform or of `workload`.
    """

    def objects(self, workload: Workload) -> Iterator[tuple[str, dict[str, Any]]]:
        """File name and object."""


class ServerTarget(Protocol):
    """A module of `targets` that has something for the server of a tool."""

    def objects(self, workload: ServerWorkload) -> Iterator[tuple[str, dict[str, Any]]]:
        """File name and object."""


@runtime_checkable
class CheckedTarget(Protocol):
    """A target that knows what would be refused."""

    def check(self, workload: Workload) -> Iterator[Problem]:
        """The defects, before anything is rendered."""


TARGETS: tuple[Target, ...] = (
    authentication,
    deployment,
    python_files,
    rbac,
    network_policy,
    cilium,
    certificate,
    persistence,
    disruption,
    knative,
    http_scaling,
    keda,
    gateway,
    dapr,
    monitoring,
)
# Of the server of a tool, which has none of an agent's features.
SERVER_TARGETS: tuple[ServerTarget, ...] = (server, network_policy, cilium, disruption)
# What the workloads of a namespace have in common; Secrets are also those of servers.
_SHARED = (http_scaling, dapr, dashboard)


def render(
    workloads: Sequence[Workload], servers: Sequence[ServerWorkload], diagnostics: Diagnostics
) -> list[RenderedObject]:
    """What workloads share, then every object of each, in the order of installation."""
    rendered: list[RenderedObject] = []
    first = workloads[0].origin if workloads else None
    with _reported(first, diagnostics):
        rendered.extend(external_secret.shared_objects([*workloads, *servers]))
    for target in _SHARED:
        with _reported(first, diagnostics):
            rendered.extend(target.shared_objects(workloads))
    for workload in workloads:
        errors = diagnostics.error_count
        _check(workload, diagnostics)
        if diagnostics.error_count > errors:
            continue  # what would be refused need not be renderable
        with _reported(workload.origin, diagnostics):
            rendered.extend(sorted(_objects(workload, *(t.objects(workload) for t in TARGETS)), key=_order))
    for one in servers:
        with _reported(one.origin, diagnostics):
            rendered.extend(sorted(_objects(one, *(t.objects(one) for t in SERVER_TARGETS)), key=_order))
    for item in rendered:
        _keep_variables(item.data)
    return rendered


def _keep_variables(document: dict[str, Any]) -> None:
    """Flux substitutes `${…}` in every object it applies, and fails where it knows no value (kustomize-controller,
    docs/spec/v1/kustomizations.md, post build variable substitution)."""
    if _has_variable(document):
        metadata = document["metadata"]
        metadata["annotations"] = (metadata.get("annotations") or {}) | {_SUBSTITUTE: "disabled"}


def _has_variable(value: Any) -> bool:
    if isinstance(value, str):
        return "${" in value
    if isinstance(value, dict):
        return any(map(_has_variable, value.values())) or any("${" in key for key in value)
    return isinstance(value, list) and any(map(_has_variable, value))


@contextmanager
def _reported(origin: Span | None, diagnostics: Diagnostics) -> Iterator[None]:
    """A template that fails is a diagnostic at its line; what it was rendered for is a label."""
    try:
        yield
    except TemplateError as error:
        span = Span(shown_path(error.template), max(error.line, 1), 1)
        labels = [Label(origin, "rendered for this")] if origin else []
        diagnostics.add(error.code, error.message, span, labels=labels)


def _check(workload: Workload, diagnostics: Diagnostics) -> None:
    for target in TARGETS:
        for problem in target.check(workload) if isinstance(target, CheckedTarget) else ():
            place = workload.places.get(to_snake(str(problem.location[0]))) if problem.location else None
            span = place.document.span_of((*place.location, *problem.location[1:])) if place else workload.origin
            # One Platform serves all workloads: the collector keeps a repeated problem once.
            diagnostics.add(problem.code, problem.message, span, help=problem.help)


def _objects(pods: Pods, *found: Iterator[tuple[str, dict[str, Any]]]) -> Iterator[RenderedObject]:
    for file, data in chain(*found):
        yield RenderedObject(data, f"{pods.directory}/{file}", pods.origin)


def _order(item: RenderedObject) -> tuple[int, str, str]:
    return (_INSTALL_ORDER.index(item.data["kind"]), item.identity[2], item.identity[3])
