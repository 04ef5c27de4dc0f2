"""ServiceAccount, ConfigMap, Deployment and Service: the workload itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from kagent_render.catalog.base import ContainerPort, Mount, Problem
from kagent_render.lower import Workload
from kagent_render.lower.features.pod_extras import DEFAULT_GRACE_SECONDS
from kagent_render.targets import pod_checks
from kagent_render.targets.objects import (
    CONFIG_PATH,
    PORT,
    USER_ID,
    claim_name,
    labels,
    metadata,
    port_name,
    selector_labels,
)
from kagent_render.targets.placement import placement
from kagent_render.targets.pod import container_resources, environment_variable, volume, volume_mount
from kagent_render.targets.pretty_json import pretty
from kagent_render.targets.server_container import folders, server_container
from kagent_render.targets.templating import render


def check(workload: Workload) -> Iterator[Problem]:
    """What the pod would not start with."""
    return pod_checks.check(workload)


def objects(workload: Workload) -> Iterator[tuple[str, dict[str, Any]]]:
    """File name and object, in the order of installation."""
    yield "serviceaccount.yaml", render("deployment/serviceaccount.yaml.j2", {"metadata": _account(workload)})
    yield "configmap.yaml", render("deployment/configmap.yaml.j2", _configmap(workload, _config(workload)))
    if workload.is_knative:
        return
    yield "service.yaml", render("deployment/service.yaml.j2", _service(workload))
    yield "deployment.yaml", deployment(workload)


def deployment(workload: Workload) -> dict[str, Any]:
    """The Deployment; its pod is also what Knative runs."""
    return render("deployment/deployment.yaml.j2", _deployment(workload, _config(workload)))


def _config(workload: Workload) -> str:
    return pretty(workload.runtime_config) + "\n"


def _account(workload: Workload) -> dict[str, Any]:
    fields = metadata(workload)
    merged = fields.get("annotations", {}) | (workload.placement.service_account_annotations or {})
    return fields | ({"annotations": {key: merged[key] for key in sorted(merged)}} if merged else {})


def _configmap(workload: Workload, config: str) -> dict[str, Any]:
    return {"metadata": metadata(workload), "config": config}


def _service(workload: Workload) -> dict[str, Any]:
    return {
        "metadata": metadata(workload),
        "selector": selector_labels(workload),
        "port": PORT,
        "port_name": port_name(workload),
        "app_protocol": "https" if workload.platform.tls else None,
        "ports": [_service_port(port) for port in sorted(workload.needs.ports)],
    }


def _service_port(port: ContainerPort) -> dict[str, Any]:
    return {"name": port.name, "port": port.number, "targetPort": port.name, "protocol": "TCP"}


def _deployment(workload: Workload, config: str) -> dict[str, Any]:
    return {
        "metadata": metadata(workload),
        "name": workload.name,
        # An autoscaler owns the number of replicas; a number here would fight it at every sync.
        "replicas": None if workload.scaling else workload.replicas,
        "selector": selector_labels(workload),
        "pod_labels": _pod_labels(workload),
        "pod_annotations": _pod_annotations(workload, config),
        "placement": placement(workload),
        "image": workload.image,
        "pull_policy": workload.platform.image_pull_policy,
        "grace_seconds": workload.placement.termination_grace_period_seconds or DEFAULT_GRACE_SECONDS,
        "port": PORT,
        "port_name": port_name(workload),
        "probe_port": "management" if workload.has_management_port else port_name(workload),
        "user_id": USER_ID,
        "config_path": CONFIG_PATH,
        "variables": [environment_variable(variable) for variable in workload.variables],
        "ports": [{"name": p.name, "containerPort": p.number, "protocol": "TCP"} for p in sorted(workload.needs.ports)],
        "strategy": _strategy(workload),
        "state": _state(workload),
        "mounts": [volume_mount(mount) for mount in sorted(workload.needs.mounts)],
        "volumes": [volume(mount) for mount in (*sorted(workload.needs.mounts), *_of_sidecars(workload))],
        "sidecars": [server_container(server, workload.platform) for server in workload.sidecars],
        "resources": container_resources(workload.resources),
        "needs_kubernetes_api": workload.needs_kubernetes_api,
    }


def _of_sidecars(workload: Workload) -> Iterator[Mount]:
    for server in workload.sidecars:
        yield from folders(server)


def _strategy(workload: Workload) -> dict[str, Any]:
    """A volume is for one pod: the old one ends before the new one starts."""
    if workload.state_volume is not None:
        return {"type": "Recreate"}
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}


def _state(workload: Workload) -> dict[str, Any]:
    if workload.state_volume is not None:
        return {"name": "state", "persistentVolumeClaim": {"claimName": claim_name(workload)}}
    return {"name": "state", "emptyDir": {"sizeLimit": "256Mi"}}


def _pod_labels(workload: Workload) -> dict[str, str]:
    merged = (workload.placement.pod_labels or {}) | dict(workload.needs.pod_labels) | labels(workload)
    return {key: merged[key] for key in sorted(merged)}


def _pod_annotations(workload: Workload, config: str) -> dict[str, str]:
    # A changed config rolls the pods; a name with the hash in it would be pruned before they have ended.
    checksum = hashlib.sha256(config.encode()).hexdigest()
    features = dict(workload.needs.pod_annotations)
    merged = (workload.placement.pod_annotations or {}) | features | {"checksum/config": checksum}
    return {key: merged[key] for key in sorted(merged)}
