"""Dapr Components, shared by the workloads of a namespace, and the Subscription of each workload.

A Component without scopes is open to every application of its namespace: ours always have them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kagent_render.catalog.base import Problem
from kagent_render.catalog.credentials import is_secret_name
from kagent_render.lower import Workload
from kagent_render.lower.features.dapr import SIDECAR_PORTS
from kagent_render.specs.dapr import ComponentField, Dapr, PubSub, StateStore
from kagent_render.targets.objects import PORT, RenderedObject, metadata
from kagent_render.targets.templating import render

EVENTS_PATH = "/dapr/events"
MAX_APP_ID = 58  # the injector names a Service `<app-id>-dapr`
_KNATIVE_PORTS = {8008, 8012, 8013, 8022, 9090, 9091}
_GRACE_SECONDS = 30
_MANAGED_BY = {"app.kubernetes.io/managed-by": "kagent-render"}


def objects(workload: Workload) -> Iterator[tuple[str, dict[str, Any]]]:
    """The Subscription, when there is a topic."""
    dapr = workload.platform.dapr
    if dapr is None or dapr.pubsub is None:
        return
    context = {
        "metadata": metadata(workload),
        "pubsub": dapr.pubsub.name,
        "topic": _topic(dapr.pubsub.topic, workload),
        "path": EVENTS_PATH,
        "dead_letter_topic": _topic(dapr.pubsub.dead_letter_topic, workload),
        "scopes": [workload.name],
    }
    yield "subscription.yaml", render("dapr/subscription.yaml.j2", context)


def _topic(text: str, workload: Workload) -> str:
    return text.replace("{name}", workload.name)


def shared_objects(workloads: Sequence[Workload]) -> Iterator[RenderedObject]:
    """One Component a store or bus and namespace, for exactly our workloads in it."""
    by_namespace: dict[str, list[Workload]] = {}
    for workload in workloads:
        by_namespace.setdefault(workload.namespace or "", []).append(workload)
    for namespace, members in sorted(by_namespace.items()):
        dapr = members[0].platform.dapr
        for component in dapr.components if dapr else ():
            yield _component(component, namespace, members)


def _component(component: StateStore | PubSub, namespace: str, members: list[Workload]) -> RenderedObject:
    fields = {"name": component.name, "namespace": namespace or None, "labels": _MANAGED_BY}
    has_secret = any(field.secret_key_ref for field in component.metadata)
    context = {
        "metadata": {key: value for key, value in fields.items() if value is not None},
        "type": component.type,
        "version": component.version,
        "fields": [_field(field) for field in component.metadata],
        "auth": {"secretStore": "kubernetes"} if has_secret else None,
        "scopes": sorted(member.name for member in members),
    }
    folder = f"{namespace}/" if namespace else ""
    data = render("dapr/component.yaml.j2", context)
    return RenderedObject(data, f"{folder}component-{component.name}.yaml", members[0].origin)


def _field(field: ComponentField) -> dict[str, Any]:
    if field.secret_key_ref is None:
        return {"name": field.name, "value": field.value}
    return {"name": field.name, "secretKeyRef": {"name": field.secret_key_ref.name, "key": field.secret_key_ref.key}}


def check(workload: Workload) -> Iterator[Problem]:
    """What the injector, the kubelet or Knative would refuse, and credentials that stand in a Component."""
    dapr = workload.platform.dapr
    if dapr is None:
        return
    if len(workload.name) > MAX_APP_ID:
        message = f"`{workload.name}` has {len(workload.name)} characters; Dapr takes {MAX_APP_ID} for an app id"
        yield Problem("KR542", message, help="rename it: the Service of its sidecar is called `<name>-dapr`")
    if workload.platform.tls and workload.platform.tls.mutual:
        message = f"the sidecar of `{workload.name}` has no certificate of its issuer to show"
        yield Problem("KR554", message, ("tls", "mutual"), "remove `mutual: true`, or dapr")
    yield from _shutdown(workload, dapr)
    yield from _ports(workload, dapr)
    for name, component in (("stateStore", dapr.state_store), ("pubsub", dapr.pubsub)):
        for index, field in enumerate(component.metadata if component else ()):
            if field.value and is_secret_name(field.name):
                help = f"write secretKeyRef: {{name: …, key: {field.name}}} in place of the value"
                location = ("dapr", name, "metadata", index, "value")
                yield Problem("KR545", f"`{field.name}` is a credential and stands in the spec", location, help)


def _shutdown(workload: Workload, dapr: Dapr) -> Iterator[Problem]:
    grace = workload.placement.termination_grace_period_seconds or _GRACE_SECONDS
    if dapr.graceful_shutdown_seconds > grace:
        message = f"the sidecar would stay `{dapr.graceful_shutdown_seconds}` s, and the pod ends after {grace} s"
        yield Problem("KR543", message, ("dapr", "gracefulShutdownSeconds"), f"at most {grace}")


def _ports(workload: Workload, dapr: Dapr) -> Iterator[Problem]:
    taken = {PORT, *SIDECAR_PORTS} | {port.number for port in workload.needs.ports}
    if getattr(workload, "type", "") == "Knative":
        taken |= _KNATIVE_PORTS
    if dapr.metrics_port in taken:
        message = f"port `{dapr.metrics_port}` is taken in the pod of `{workload.name}`"
        yield Problem("KR544", message, ("dapr", "metricsPort"), "choose another, such as 9095")
