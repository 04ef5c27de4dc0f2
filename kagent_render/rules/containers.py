"""A container: its names, ports, environment, mounts and policies.

Source: k8s.io/kubernetes, pkg/apis/core/validation/validation.go: validateContainerCommon and what it calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kagent_render.rules.downward import VARIABLE_FIELDS, field_reference, resource_reference
from kagent_render.rules.grammar import (
    config_key,
    env_name,
    label,
    port_name,
    shown,
    subdomain,
)
from kagent_render.rules.probes import lifecycle, probes
from kagent_render.rules.resources import resources
from kagent_render.rules.security_context import container_security_context
from kagent_render.rules.volumes import descending_from_root, descending_path
from kagent_render.rules.walk import (
    JSON,
    Found,
    between,
    each,
    exactly_one,
    follows,
    not_one_of,
    one_of,
    part,
    required,
    unique,
)
from kagent_render.schemas import Defect
from kagent_render.schemas.validator import Path

_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_RESTART_POLICIES = ("Always", "Never", "OnFailure")
_MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
PROTOCOLS = ("TCP", "UDP", "SCTP")
_ENV_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")


def container_defects(container: JSON, path: Path, volumes: Mapping[str, JSON], *, is_init: bool) -> Found:
    """Everything of a container. `volumes` are the pod's by name."""
    for rule in (_identity, _ports, _environment, probes, lifecycle, _policies, _restart):
        yield from rule(container, path)
    yield from _mounts(container, path, volumes)
    yield from _devices(container, path, volumes)
    yield from resources(part(container, "resources"), (*path, "resources"))
    yield from container_security_context(part(container, "securityContext"), (*path, "securityContext"))
    if is_init and container.get("restartPolicy") != "Always":
        for probe in ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle"):
            if container.get(probe) is not None:
                yield Defect((*path, probe), "may not be there for an init container without restartPolicy `Always`")


def _identity(container: JSON, path: Path) -> Found:
    yield from required(container, "name", path, label)
    yield from required(container, "image", path)


def _policies(container: JSON, path: Path) -> Found:
    yield from one_of(container, "imagePullPolicy", _PULL_POLICIES, path)
    yield from one_of(container, "terminationMessagePolicy", _MESSAGE_POLICIES, path)
    for policy, place in each(container, "resizePolicy", path):
        yield from one_of(policy, "resourceName", ("cpu", "memory"), place, is_required=True)
        yield from one_of(policy, "restartPolicy", ("NotRequired", "RestartContainer"), place, is_required=True)


def _restart(container: JSON, path: Path) -> Found:
    """validateContainerRestartPolicy."""
    policy = container.get("restartPolicy")
    if policy is not None and policy not in _RESTART_POLICIES:
        yield Defect((*path, "restartPolicy"), not_one_of(policy, _RESTART_POLICIES))
    if policy is None and container.get("restartPolicyRules"):
        yield Defect((*path, "restartPolicy"), "is missing for `restartPolicyRules`")
    for rule, place in each(container, "restartPolicyRules", path):
        yield from one_of(rule, "action", ("Restart", "RestartAllContainers"), place, is_required=True)
        yield from required(rule, "exitCodes", place)
        if rule.get("exitCodes"):
            yield from one_of(rule["exitCodes"], "operator", ("In", "NotIn"), (*place, "exitCodes"), is_required=True)


def _ports(container: JSON, path: Path) -> Found:
    """validateContainerPorts."""
    yield from unique(container, "ports", "name", path)
    for port, place in each(container, "ports", path):
        yield from follows(port, "name", port_name, place)
        if not port.get("containerPort"):
            yield Defect((*place, "containerPort"), "is missing")
        yield from between(port, "containerPort", 0, 65535, place)
        yield from between(port, "hostPort", 0, 65535, place)
        yield from one_of(port, "protocol", PROTOCOLS, place)


def _environment(container: JSON, path: Path) -> Found:
    """ValidateEnv, ValidateEnvFrom."""
    for variable, place in each(container, "env", path):
        yield from required(variable, "name", place, env_name)
        source = variable.get("valueFrom")
        if source is not None:
            yield from exactly_one(source, _ENV_SOURCES, (*place, "valueFrom"), "source")
            yield from _source(source, (*place, "valueFrom"))
            if variable.get("value"):
                yield Defect((*place, "valueFrom"), "may not be there beside `value`")
    for source, place in each(container, "envFrom", path):
        yield from exactly_one(source, ("configMapRef", "secretRef"), place, "source")
        yield from follows(source, "prefix", env_name, place)
        for key in ("configMapRef", "secretRef"):
            if source.get(key) is not None:
                yield from required(source[key], "name", (*place, key), subdomain)


def _source(source: JSON, path: Path) -> Found:
    for key in ("configMapKeyRef", "secretKeyRef"):
        if source.get(key) is not None:
            yield from required(source[key], "key", (*path, key), config_key)
            yield from required(source[key], "name", (*path, key), subdomain)
    if source.get("fieldRef") is not None:
        yield from field_reference(source["fieldRef"], (*path, "fieldRef"), VARIABLE_FIELDS)
    if source.get("resourceFieldRef") is not None:
        yield from resource_reference(source["resourceFieldRef"], (*path, "resourceFieldRef"))


def _mounts(container: JSON, path: Path, volumes: Mapping[str, JSON]) -> Found:
    """ValidateVolumeMounts."""
    yield from unique(container, "volumeMounts", "mountPath", path)
    for mount, place in each(container, "volumeMounts", path):
        yield from required(mount, "mountPath", place)
        name = mount.get("name")
        if not name:
            yield Defect((*place, "name"), "is missing")
        elif name not in volumes:
            yield Defect((*place, "name"), f"{shown(name)} is not a volume of the pod")
        for key in ("subPath", "subPathExpr"):
            yield from follows(mount, key, descending_path, place)
        if mount.get("subPath") and mount.get("subPathExpr"):
            yield Defect((*place, "subPathExpr"), "may not be there beside `subPath`")
        yield from _mount_modes(mount, place)


def _devices(container: JSON, path: Path, volumes: Mapping[str, JSON]) -> Found:
    """ValidateVolumeDevices: only a claim can be a device."""
    for device, place in each(container, "volumeDevices", path):
        yield from required(device, "devicePath", place, descending_from_root)
        volume = volumes.get(device.get("name") or "") or {}
        if volume.get("persistentVolumeClaim") is None and volume.get("ephemeral") is None:
            yield Defect((*place, "name"), f"{shown(device.get('name'))} is not a claim among the volumes of the pod")


def _mount_modes(mount: Mapping[str, Any], path: Path) -> Found:
    """validateMountPropagation, validateMountRecursiveReadOnly."""
    propagations = ("Bidirectional", "HostToContainer", "None")
    value = mount.get("mountPropagation")
    if value is not None and value not in propagations:
        yield Defect((*path, "mountPropagation"), not_one_of(value, propagations))
    modes = ("Disabled", "Enabled", "IfPossible")
    recursive = mount.get("recursiveReadOnly")
    if recursive is not None and recursive not in modes:
        yield Defect((*path, "recursiveReadOnly"), not_one_of(recursive, modes))
    elif recursive in ("Enabled", "IfPossible") and not mount.get("readOnly"):
        yield Defect((*path, "recursiveReadOnly"), "needs `readOnly` to be true")
