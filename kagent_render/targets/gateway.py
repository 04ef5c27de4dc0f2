"""HTTPRoute of the Gateway API, when the Platform has an ingress.

Defaulted fields stand in the template: inside lists, Argo CD shows what the server adds as a difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kagent_render.lower import Workload
from kagent_render.targets.http_scaling import INTERCEPTOR_PORT, INTERCEPTOR_SERVICE
from kagent_render.targets.objects import AFTER_THE_REST, PORT, metadata
from kagent_render.targets.templating import render

_KNATIVE_PORT = 80


def objects(workload: Workload) -> Iterator[tuple[str, dict[str, Any]]]:
    """One HTTPRoute, for the host `<name>.<domain>`."""
    ingress = workload.platform.ingress
    if ingress is None:
        return
    gateway, fields = ingress.gateway, metadata(workload)
    if workload.waits_behind_interceptor:  # which answers 404 until it knows the InterceptorRoute
        fields["annotations"] = fields.get("annotations", {}) | AFTER_THE_REST
    context = {
        "metadata": fields,
        "host": f"{workload.name}.{ingress.domain}",
        "gateway": {"name": gateway.name, "namespace": gateway.namespace, "section": gateway.section_name},
        "timeout": f"{ingress.timeout_seconds}s",
        "filters": [_host_of_knative(workload)] if workload.is_knative else None,
        "backend": _backend(workload),
    }
    yield "httproute.yaml", render("gateway/httproute.yaml.j2", context)


def _backend(workload: Workload) -> dict[str, Any]:
    """The workload's Service; that of the interceptor if it scales on requests; that which Knative makes."""
    backend: dict[str, Any] = {"group": "", "kind": "Service", "name": workload.name}
    port = _KNATIVE_PORT if workload.is_knative else PORT
    if workload.waits_behind_interceptor:
        backend |= {"name": INTERCEPTOR_SERVICE, "namespace": workload.platform.http_interceptor.namespace}
        port = INTERCEPTOR_PORT
    return backend | {"port": port, "weight": 1}


def _host_of_knative(workload: Workload) -> dict[str, Any]:
    # Knative's gateway tells its Services apart by the Host header, and knows them by their names in the cluster.
    host = f"{workload.name}.{workload.namespace}.svc.cluster.local"
    return {"type": "URLRewrite", "urlRewrite": {"hostname": host}}
