"""NetworkPolicy: nothing in or out but what the specs imply."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Any

from kagent_render.catalog.base import Endpoint
from kagent_render.lower import Pods, Workload
from kagent_render.targets.objects import PORT, metadata, selector_labels
from kagent_render.targets.templating import render

# A NetworkPolicy knows no host names: a public endpoint becomes its port, to any address that is not private,
# link-local (cloud metadata) or carrier-grade NAT.
PRIVATE_V4 = [
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
]
PRIVATE_V6 = ["::1/128", "fc00::/7", "fe80::/10"]
# What nobody may call, even where private addresses are allowed: the node itself and the metadata of clouds.
NEVER_V4 = ["100.100.100.200/32", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16", "192.0.0.0/24"]
NEVER_V6 = [
    "::1/128",
    "fd00:42::42/128",
    "fd00:100::100:200/128",
    "fd00:a9fe:a9fe::1/128",
    "fd00:c1::a9fe:a9fe/128",
    "fd00:ec2::/32",
    "fd20:ce::254/128",
    "fe80::/10",
]
NAMESPACE_LABEL = "kubernetes.io/metadata.name"


def objects(workload: Pods) -> Iterator[tuple[str, dict[str, Any]]]:
    """One NetworkPolicy, unless the Platform turns them off."""
    settings = workload.platform.network_policy
    if not settings.enabled:
        return
    # All that reaches a Knative Service comes through Knative, which is among the callers; a server has only those.
    direct = [_ingress(_sources(workload), PORT)] if isinstance(workload, Workload) and not workload.is_knative else []
    context = {
        "metadata": metadata(workload),
        "selector": selector_labels(workload),
        "ingress": [*direct, *_callers(workload)],
        "egress": list(_egress(workload)) or None,
    }
    yield "networkpolicy.yaml", render("network_policy/networkpolicy.yaml.j2", context)


def _sources(workload: Workload) -> list[dict[str, Any]]:
    """Who calls the agent itself: its own namespace, those the Platform names, and the Gateway's."""
    namespaces = set(workload.platform.network_policy.ingress_from_namespaces)
    ingress = workload.platform.ingress
    if ingress and ingress.gateway.namespace and not workload.waits_behind_interceptor:
        namespaces.add(ingress.gateway.namespace)
    return [{"podSelector": {}}, *(_namespace_peer(name) for name in sorted(namespaces))]


def _ingress(sources: list[dict[str, Any]], port: int) -> dict[str, Any]:
    return {"from": sources, "ports": [{"protocol": "TCP", "port": port}]}


def _callers(workload: Pods) -> Iterator[dict[str, Any]]:
    """Those whom a feature lets in, as a Prometheus or an interceptor; and the agents that use a server."""
    for caller in sorted(workload.needs.callers):
        place = _namespace_peer(caller.namespace) if caller.namespace else {}
        yield _ingress([place | _pods(caller.labels)], caller.port)


def _pods(labels: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": dict(labels)}} if labels else {}


def _namespace_peer(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {NAMESPACE_LABEL: name}}}


def _egress(workload: Pods) -> Iterator[dict[str, Any]]:
    is_cilium = workload.platform.network_policy.provider == "Cilium"
    if workload.resolves_names and not is_cilium:
        yield _dns()
    if workload.needs_kubernetes_api and not is_cilium:
        yield _api_server(workload)
    endpoints = [item for item in workload.needs.endpoints if not (is_cilium and is_public(item))]
    for peers, port in sorted(_destinations(endpoints), key=str):
        yield {"to": peers, "ports": [{"protocol": "TCP", "port": port}]}


def _dns() -> dict[str, Any]:
    return {
        "to": [_namespace_peer("kube-system") | {"podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}],
        "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
    }


def _api_server(workload: Pods) -> dict[str, Any]:
    api_server = workload.platform.network_policy.api_server
    return {
        "to": [{"ipBlock": {"cidr": cidr}} for cidr in api_server.cidrs],
        "ports": [{"protocol": "TCP", "port": port} for port in api_server.ports],
    }


def is_public(endpoint: Endpoint) -> bool:
    """Whether the host is a name outside the cluster."""
    return bool(_peers(endpoint)[0].get("ipBlock", {}).get("cidr") == "0.0.0.0/0")


def _destinations(endpoints: Iterable[Endpoint]) -> list[tuple[list[dict[str, Any]], int]]:
    found: list[tuple[list[dict[str, Any]], int]] = []
    for endpoint in sorted(endpoints):
        destination = (_peers(endpoint), endpoint.port)
        if destination not in found:
            found.append(destination)
    return found


def _peers(endpoint: Endpoint) -> list[dict[str, Any]]:
    try:
        address = ipaddress.ip_address(endpoint.host)
    except ValueError:
        pass
    else:
        return [{"ipBlock": {"cidr": f"{address}/{address.max_prefixlen}"}}]
    _, _, rest = endpoint.host.partition(".")
    if not rest:  # a Service of the workload's own namespace
        return [_pods(endpoint.pods) or {"podSelector": {}}]
    labels = rest.split(".")
    if labels[1:] in (["svc"], ["svc", "cluster", "local"]):
        return [_namespace_peer(labels[0]) | _pods(endpoint.pods)]
    holes = (NEVER_V4, NEVER_V6) if endpoint.is_private else (PRIVATE_V4, PRIVATE_V6)
    return [
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": holes[0]}},
        {"ipBlock": {"cidr": "::/0", "except": holes[1]}},
    ]
