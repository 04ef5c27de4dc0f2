"""The specification of a pod: what its parts have to be together.

Source: k8s.io/kubernetes, pkg/apis/core/validation/validation.go: ValidatePodSpec, ValidatePodTemplateSpec.
"""

from __future__ import annotations

from collections.abc import Iterator

from kagent_render.rules.containers import container_defects
from kagent_render.rules.grammar import subdomain
from kagent_render.rules.pod_scheduling import scheduling
from kagent_render.rules.security_context import pod_security_context
from kagent_render.rules.volumes import volumes
from kagent_render.rules.walk import JSON, Found, each, follows, one_of, part, required, unique
from kagent_render.schemas import Defect
from kagent_render.schemas.validator import Path

_DNS_POLICIES = ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")
_RESTART_POLICIES = ("Always", "OnFailure", "Never")
_GRACE_LIMIT = 1 << 31


def pod_spec(spec: JSON, path: Path) -> Found:
    """Everything of a pod's spec."""
    for rule in (_policies, _references, _containers, volumes, scheduling, _names_are_unique, _security, _dns):
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
    servers = part(spec, "dnsConfig").get("nameservers") or ()
    if spec.get("dnsPolicy") == "None" and not servers:
        yield Defect((*path, "dnsConfig", "nameservers"), "is missing for the dnsPolicy `None`")
    if len(servers) > 3:
        yield Defect((*path, "dnsConfig", "nameservers"), f"has {len(servers)} items, more than 3")
    for alias, place in each(spec, "hostAliases", path):
        yield from required(alias, "ip", place)
