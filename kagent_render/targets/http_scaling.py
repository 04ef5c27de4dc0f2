"""KEDA's HTTP add-on: the InterceptorRoute, the way to it inside the cluster, and the grant for HTTPRoutes.

The ScaledObject of `keda.py` scales; an HTTPScaledObject would make a second one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kagent_render.catalog.base import Problem
from kagent_render.catalog.triggers.base import go_duration
from kagent_render.catalog.triggers.http import HttpTrigger, RequestRate
from kagent_render.lower import Workload
from kagent_render.targets.objects import BEFORE_THE_REST, MANAGED_BY, PORT, RenderedObject, metadata
from kagent_render.targets.templating import render

INTERCEPTOR_SERVICE = "keda-add-ons-http-interceptor-proxy"
INTERCEPTOR_PORT = 8080
# Between the first byte of a request and the first of its answer; the whole stream may take longer.
_HEADER_SECONDS = 300


def check(workload: Workload) -> Iterator[Problem]:
    """What would leave requests without a way to the pods."""
    index = next(iter(_http_triggers(workload)), None)
    if index is None or workload.is_knative or workload.scaling is None:
        return
    trigger, place = workload.scaling.triggers[index], ("scaling", "triggers", index)
    assert isinstance(trigger, HttpTrigger)
    if trigger.concurrency is None and trigger.request_rate is None:
        message = "`http` has neither concurrency nor requestRate"
        yield Problem("KR526", message, (*place, "type"), "add concurrency: 10")
    if workload.namespace is None:
        message = f"`{workload.name}` has no namespace to route requests to"
        yield Problem("KR526", message, (*place, "type"), "set metadata.namespace, or pass --namespace")
    if trigger.hosts and workload.places["scaling"].location[:2] == ("spec", "scaling"):
        message = f"every workload would have the host `{trigger.hosts[0]}`"
        help = "set hosts in the scaling of a workload; without hosts each has its own"
        yield Problem("KR526", message, (*place, "hosts", 0), help)


def _http_triggers(workload: Workload) -> Iterator[int]:
    for index, trigger in enumerate(workload.scaling.triggers if workload.scaling else ()):
        if isinstance(trigger, HttpTrigger):
            yield index


def objects(workload: Workload) -> Iterator[tuple[str, dict[str, Any]]]:
    """An InterceptorRoute, and a Service `<name>-proxy` that leads to the interceptor."""
    trigger = workload.scaling.http if workload.scaling else None
    if trigger is None or not workload.waits_behind_interceptor:
        return
    interceptor, fields = workload.platform.http_interceptor, metadata(workload)
    # KEDA falls back to a CPU metric when a ScaledObject comes before its InterceptorRoute (http-add-on 0.15 docs), and
    # the interceptor answers 404 to an HTTPRoute.
    context = {
        "metadata": fields | {"annotations": fields.get("annotations", {}) | BEFORE_THE_REST},
        "name": workload.name,
        "hosts": _hosts(workload, trigger),
        "concurrency": {"targetValue": trigger.concurrency} if trigger.concurrency else None,
        "request_rate": _request_rate(trigger.request_rate) if trigger.request_rate else None,
        "readiness": go_duration(interceptor.start_timeout_seconds),
        "response_header": go_duration(_header_seconds(workload)),
    }
    yield "interceptorroute.yaml", render("http_scaling/interceptorroute.yaml.j2", context)
    service = {
        "metadata": metadata(workload, f"{workload.name}-proxy"),
        "interceptor": f"{INTERCEPTOR_SERVICE}.{interceptor.namespace}.svc.cluster.local",
        "port": PORT,
    }
    yield "service-proxy.yaml", render("http_scaling/service.yaml.j2", service)


def _header_seconds(workload: Workload) -> int:
    ingress = workload.platform.ingress
    return ingress.timeout_seconds if ingress else _HEADER_SECONDS


def _request_rate(rate: RequestRate) -> dict[str, Any]:
    return {"targetValue": rate.target_value, "window": rate.window, "granularity": rate.granularity}


def _hosts(workload: Workload, trigger: HttpTrigger) -> list[str]:
    """All that leads to the interceptor: the ingress, the hosts of the spec, and the names in the cluster.

    Not the bare name of the Service: every namespace may have one.
    """
    ingress = workload.platform.ingress
    outside = [f"{workload.name}.{ingress.domain}"] if ingress else []
    inside = f"{workload.name}-proxy.{workload.namespace}"
    names = [*outside, *(trigger.hosts or ()), inside, f"{inside}.svc", f"{inside}.svc.cluster.local"]
    return list(dict.fromkeys(names))


def shared_objects(workloads: Sequence[Workload]) -> Iterator[RenderedObject]:
    """One ReferenceGrant a namespace of agents, in that of the interceptor, for the HTTPRoutes that lead there."""
    first: dict[tuple[str, str], Workload] = {}
    for workload in workloads:
        interceptor = workload.platform.http_interceptor
        if workload.platform.ingress and workload.waits_behind_interceptor and interceptor.reference_grant:
            first.setdefault((interceptor.namespace, workload.namespace or ""), workload)
    for (system, namespace), workload in sorted(first.items()):
        fields = {"name": f"kagent-{namespace}", "namespace": system, "labels": MANAGED_BY}
        context = {"metadata": fields, "namespace": namespace, "service": INTERCEPTOR_SERVICE}
        data = render("http_scaling/referencegrant.yaml.j2", context)
        yield RenderedObject(data, f"{system}/referencegrant-{namespace}.yaml", workload.origin)
