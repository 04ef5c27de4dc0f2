"""The specification of a pod: what its parts have to be together.

Source: k8s.io/kubernetes, pkg/apis/core/validation/validation.go: ValidatePodSpec, ValidatePodTemplateSpec.
"""

from __future__ import annotations

from collections.abc import Iterator

from kagent_render.rules.containers import container_defects
from kagent_render.rules.grammar import is_address, label, qualified_name, shown, subdomain
from kagent_render.rules.pod_scheduling import scheduling
from kagent_render.rules.security_context import pod_security_context
from kagent_render.rules.volumes import volumes
from kagent_render.rules.walk import (
    JSON,
    Found,
    Rule,
    each,
    exactly_one,
    follows,
    one_of,
    part,
    required,
    texts,
    unique,
)
from kagent_render.schemas import Defect
from kagent_render.schemas.validator import Path

_DNS_POLICIES = ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")
_RESTART_POLICIES = ("Always", "OnFailure", "Never")
_GRACE_LIMIT = 1 << 31


def pod_spec(spec: JSON, path: Path) -> Found:
    """Everything of a pod's spec."""
    for rule in (
        _policies,
        _references,
        _host_names,
        _gates,
        _claims,
        _containers,
        volumes,
        scheduling,
        _names_are_unique,
        _security,
        _dns,
    ):
        yield from rule(spec, path)


def _policies(spec: JSON, path: Path) -> Found:
    yield from one_of(spec, "restartPolicy", _RESTART_POLICIES, path)
    yield from one_of(spec, "dnsPolicy", _DNS_POLICIES, path)
    yield from one_of(spec, "preemptionPolicy", ("PreemptLowerPriority", "Never"), path)
    seconds = spec.get("activeDeadlineSeconds")
    if seconds is not None and not 1 <= seconds < _GRACE_LIMIT:
        yield Defect((*path, "activeDeadlineSeconds"), f"`{seconds}` is not a positive number of seconds")


def _references(spec: JSON, path: Path) -> Found:
    for key in ("serviceAccountName", "nodeName", "priorityClassName", "runtimeClassName"):
        yield from follows(spec, key, subdomain, path)
    if spec.get("hostNetwork") and spec.get("hostUsers") is False:
        yield Defect((*path, "hostNetwork"), "may not be true where `hostUsers` is false")


def _host_names(spec: JSON, path: Path) -> Found:
    for key in ("hostname", "subdomain"):
        yield from follows(spec, key, label, path)
    override = spec.get("hostnameOverride")
    if override is not None and (message := subdomain(override)):
        yield Defect((*path, "hostnameOverride"), message)
    if spec.get("os") is not None:
        yield from one_of(spec["os"], "name", ("linux", "windows"), (*path, "os"), is_required=True)


def _gates(spec: JSON, path: Path) -> Found:
    """validateSchedulingGates, validateReadinessGates."""
    yield from unique(spec, "schedulingGates", "name", path)
    for key, field in (("schedulingGates", "name"), ("readinessGates", "conditionType")):
        for gate, place in each(spec, key, path):
            if message := qualified_name(gate.get(field) or ""):
                yield Defect((*place, field), message)


def _claims(spec: JSON, path: Path) -> Found:
    """validatePodResourceClaims, validateResourceClaimNames: a container uses claims of its pod."""
    known = set()
    for claim, place in each(spec, "resourceClaims", path):
        known.add(claim.get("name"))
        yield from required(claim, "name", place, label)
        yield from exactly_one(claim, ("resourceClaimName", "resourceClaimTemplateName"), place, "source")
        for key in ("resourceClaimName", "resourceClaimTemplateName"):
            yield from follows(claim, key, subdomain, place)
    for container, above in _all_containers(spec, path):
        for claim, place in each(part(container, "resources"), "claims", (*above, "resources")):
            if claim.get("name") not in known:
                yield Defect((*place, "name"), f"{shown(claim.get('name'))} is not a claim of the pod")
            yield from follows(claim, "request", label, place)


def _containers(spec: JSON, path: Path) -> Found:
    if not spec.get("containers"):
        yield Defect((*path, "containers"), "is missing")
    known = {volume.get("name") or "": volume for volume, _ in each(spec, "volumes", path)}
    for key in ("initContainers", "containers"):
        for container, place in each(spec, key, path):
            yield from container_defects(container, place, known, is_init=key == "initContainers")


def _names_are_unique(spec: JSON, path: Path) -> Found:
    """Those of containers, over both kinds, and of the ports of a pod."""
    seen: set[str] = set()
    for container, place in _all_containers(spec, path):
        name = container.get("name")
        if name and name in seen:
            yield Defect((*place, "name"), f"`{name}` is there twice")
        seen.add(name or "")
    yield from unique(spec, "volumes", "name", path)
    yield from _host_ports_are_unique(spec, path)


def _host_ports_are_unique(spec: JSON, path: Path) -> Found:
    """AccumulateUniqueHostPorts."""
    seen: set[tuple[object, ...]] = set()
    for container, place in each(spec, "containers", path):
        for port, at in each(container, "ports", place):
            key = (port.get("hostPort"), port.get("hostIP") or "", port.get("protocol") or "TCP")
            if key[0] and key in seen:
                yield Defect((*at, "hostPort"), f"`{key[0]}` is there twice")
            seen.add(key)


def _all_containers(spec: JSON, path: Path) -> Iterator[tuple[JSON, Path]]:
    for key in ("initContainers", "containers"):
        yield from each(spec, key, path)


def _security(spec: JSON, path: Path) -> Found:
    yield from pod_security_context(part(spec, "securityContext"), (*path, "securityContext"))


def _dns(spec: JSON, path: Path) -> Found:
    """validatePodDNSConfig."""
    config, place = part(spec, "dnsConfig"), (*path, "dnsConfig")
    servers = config.get("nameservers") or ()
    if spec.get("dnsPolicy") == "None" and not servers:
        yield Defect((*place, "nameservers"), "is missing for the dnsPolicy `None`")
    if len(servers) > 3:
        yield Defect((*place, "nameservers"), f"has {len(servers)} items, more than 3")
    for text, at in texts(config, "nameservers", place):
        if not is_address(text):
            yield Defect(at, f"{shown(text)} is not an address")
    for text, at in texts(config, "searches", place):
        # Since 1.34 also with underscores, and a dot alone: RelaxedDNSSearchValidation.
        if text != "." and (message := subdomain(text.removesuffix(".").replace("_", "x"))):
            yield Defect(at, message)


def _host_aliases(spec: JSON, path: Path) -> Found:
    """validateHostAliases."""
    for alias, place in each(spec, "hostAliases", path):
        if not is_address(alias.get("ip") or ""):
            yield Defect((*place, "ip"), f"{shown(alias.get('ip'))} is not an address")
        for text, at in texts(alias, "hostnames", place):
            if message := subdomain(text):
                yield Defect(at, message)


_RULES: tuple[Rule, ...] = (
    _policies,
    _references,
    _host_names,
    _gates,
    _claims,
    _containers,
    volumes,
    scheduling,
    _names_are_unique,
    _security,
    _dns,
    _host_aliases,
)
