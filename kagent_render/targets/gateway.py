"""HTTPRoute of the Gateway API, when the Platform has an ingress.

Defaulted fields stand in the template: inside lists, Argo CD shows what the server adds as a difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kagent_render.catalog.base import Problem
from kagent_render.lower import Workload
from kagent_render.targets.certificate import service_names
from kagent_render.targets.http_scaling import INTERCEPTOR_PORT, INTERCEPTOR_SERVICE
from kagent_render.targets.objects import PORT, metadata, port_name
from kagent_render.targets.templating import render

_KNATIVE_PORT = 80
_LONGEST_HOST = 253


def check(workload: Workload) -> Iterator[Problem]:
    """What keeps a Gateway from reaching the workload."""
    ingress, tls = workload.platform.ingress, workload.platform.tls
    if ingress is None:
        return
    if len(f"{workload.name}.{ingress.domain}") > _LONGEST_HOST:
        message = f"the host of `{workload.name}` is longer than {_LONGEST_HOST} characters"
        yield Problem("KR553", message, ("ingress", "domain"), "use a shorter domain or name")
    if tls and tls.ca_config_map is None:
        message = "the Gateway cannot verify the certificates of the workloads"
        yield Problem("KR551", message, ("tls",), "add caConfigMap: the ConfigMap with the issuer's ca.crt")
    if tls and tls.mutual:
        message = f"the Gateway `{ingress.gateway.name}` needs a client certificate"
        yield Problem("KR552", message, ("tls", "mutual"), "set it in the Gateway's spec.tls.backend")


def objects(workload: Workload) -> Iterator[tuple[str, dict[str, Any]]]:
    """One HTTPRoute, for the host `<name>.<domain>`; over TLS, how the Gateway verifies the workload."""
    ingress = workload.platform.ingress
    if ingress is None:
        return
    gateway = ingress.gateway
    context = {
        "metadata": metadata(workload),
        "host": f"{workload.name}.{ingress.domain}",
        "gateway": {"name": gateway.name, "namespace": gateway.namespace, "section": gateway.section_name},
        "timeout": f"{ingress.timeout_seconds}s",
        "filters": [_host_of_knative(workload)] if workload.is_knative else None,
        "backend": _backend(workload),
    }
    yield "httproute.yaml", render("gateway/httproute.yaml.j2", context)
    tls = workload.platform.tls
    if tls and tls.ca_config_map and workload.namespace:
        policy = {
            "metadata": metadata(workload),
            "name": workload.name,
            "port_name": port_name(workload),
            "host": service_names(workload.name, workload.namespace)[-1],
            "ca": tls.ca_config_map,
        }
        yield "backendtlspolicy.yaml", render("gateway/backendtlspolicy.yaml.j2", policy)


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
