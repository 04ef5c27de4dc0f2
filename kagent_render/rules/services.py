"""Services.

Source: k8s.io/kubernetes, pkg/apis/core/validation/validation.go: ValidateService.
"""

from __future__ import annotations

from kagent_render.rules.containers import PROTOCOLS
from kagent_render.rules.grammar import cidr, is_address, label, port, port_number, qualified_name, shown, subdomain
from kagent_render.rules.metadata import labels
from kagent_render.rules.walk import JSON, Found, each, follows, not_one_of, one_of, part, required, texts, unique
from kagent_render.schemas import Defect
from kagent_render.schemas.validator import Path

_TYPES = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")
_POLICIES = ("Cluster", "Local")
_DISTRIBUTIONS = ("PreferClose", "PreferSameZone", "PreferSameNode")


def service(item: JSON, path: Path) -> Found:
    """Everything of a Service."""
    spec, place = part(item, "spec"), (*path, "spec")
    yield from labels(spec, "selector", place)
    for rule in (_types, _ports, _policies, _addresses, _load_balancer):
        yield from rule(spec, place)


def _types(spec: JSON, path: Path) -> Found:
    yield from one_of(spec, "type", _TYPES, path)
    kind = spec.get("type") or "ClusterIP"
    if kind == "ExternalName":
        yield from required(spec, "externalName", path, lambda text: subdomain(text.removesuffix(".")))
        if spec.get("clusterIP"):
            yield Defect((*path, "clusterIP"), "may not be there for the type `ExternalName`")
    elif not spec.get("ports") and spec.get("clusterIP") != "None":
        yield Defect((*path, "ports"), "is missing")
    if kind in ("NodePort", "LoadBalancer") and spec.get("clusterIP") == "None":
        yield Defect((*path, "clusterIP"), f"may not be `None` for the type `{kind}`")


def _ports(spec: JSON, path: Path) -> Found:
    """validateServicePort."""
    yield from unique(spec, "ports", "name", path)
    has_many = len(spec.get("ports") or ()) > 1
    for item, place in each(spec, "ports", path):
        if has_many and not item.get("name"):
            yield Defect((*place, "name"), "is missing, and there are several ports")
        yield from follows(item, "name", label, place)
        yield from one_of(item, "protocol", PROTOCOLS, place)
        if item.get("appProtocol") is not None and (message := qualified_name(item["appProtocol"])):
            yield Defect((*place, "appProtocol"), message)
        if message := port_number(item.get("port") or 0):
            yield Defect((*place, "port"), message)
        if item.get("targetPort") not in (None, 0, "") and (message := port(item["targetPort"])):
            yield Defect((*place, "targetPort"), message)
        if item.get("nodePort") and (spec.get("type") or "ClusterIP") == "ClusterIP":
            yield Defect((*place, "nodePort"), "may not be there for the type `ClusterIP`")


def _policies(spec: JSON, path: Path) -> Found:
    yield from one_of(spec, "sessionAffinity", ("ClientIP", "None"), path)
    yield from one_of(spec, "internalTrafficPolicy", _POLICIES, path)
    yield from one_of(spec, "externalTrafficPolicy", _POLICIES, path)
    yield from one_of(spec, "ipFamilyPolicy", ("SingleStack", "PreferDualStack", "RequireDualStack"), path)
    ways = spec.get("trafficDistribution")
    if ways is not None and ways not in _DISTRIBUTIONS:
        yield Defect((*path, "trafficDistribution"), not_one_of(ways, _DISTRIBUTIONS))
    is_inside = (spec.get("type") or "ClusterIP") not in ("NodePort", "LoadBalancer")
    if is_inside and spec.get("externalTrafficPolicy") and not spec.get("externalIPs"):
        yield Defect((*path, "externalTrafficPolicy"), "is only for what can be reached from outside")


def _addresses(spec: JSON, path: Path) -> Found:
    address = spec.get("clusterIP")
    if address and address != "None" and not is_address(address):
        yield Defect((*path, "clusterIP"), f"{shown(address)} is not an address")
    if spec.get("clusterIPs") and not address:
        yield Defect((*path, "clusterIPs"), "may not be there without `clusterIP`")
    for text, place in texts(spec, "externalIPs", path):
        if not is_address(text):
            yield Defect(place, f"{shown(text)} is not an address")
    for text, place in texts(spec, "ipFamilies", path):
        if text not in ("IPv4", "IPv6"):
            yield Defect(place, f"{shown(text)} is not accepted; one of IPv4, IPv6")


def _load_balancer(spec: JSON, path: Path) -> Found:
    """validateLoadBalancerClassField, ValidateLoadBalancerSourceRanges, validateServiceExternalTrafficPolicy."""
    is_balanced = spec.get("type") == "LoadBalancer"
    for name in ("allocateLoadBalancerNodePorts", "loadBalancerClass", "loadBalancerSourceRanges"):
        if spec.get(name) not in (None, []) and not is_balanced:
            yield Defect((*path, name), "is only for the type `LoadBalancer`")
    if spec.get("healthCheckNodePort") and not (is_balanced and spec.get("externalTrafficPolicy") == "Local"):
        yield Defect((*path, "healthCheckNodePort"), "is only for a `LoadBalancer` with externalTrafficPolicy `Local`")
    for text, place in texts(spec, "loadBalancerSourceRanges", path):
        if message := cidr(text.strip()):
            yield Defect(place, message)
