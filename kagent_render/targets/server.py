"""The server of a tool that has pods of its own: ServiceAccount, Service and Deployment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kagent_render.lower import ServerWorkload
from kagent_render.lower.features.pod_extras import DEFAULT_GRACE_SECONDS
from kagent_render.targets.objects import USER_ID, labels, metadata, selector_labels
from kagent_render.targets.placement import placement
from kagent_render.targets.pod import volume
from kagent_render.targets.server_container import PORT_NAME, folders, server_container
from kagent_render.targets.templating import render


def objects(workload: ServerWorkload) -> Iterator[tuple[str, dict[str, Any]]]:
    """File name and object."""
    yield "serviceaccount.yaml", render("deployment/serviceaccount.yaml.j2", {"metadata": metadata(workload)})
    yield "service.yaml", render("server/service.yaml.j2", _service(workload))
    yield "deployment.yaml", render("server/deployment.yaml.j2", _deployment(workload))


def _service(workload: ServerWorkload) -> dict[str, Any]:
    return {
        "metadata": metadata(workload),
        "selector": selector_labels(workload),
        # A session of MCP lives in one pod, so a client keeps to it.
        "affinity": "ClientIP" if workload.most_replicas > 1 else None,
        "port": workload.server.port,
        "port_name": PORT_NAME,
    }


def _deployment(workload: ServerWorkload) -> dict[str, Any]:
    return {
        "metadata": metadata(workload),
        "name": workload.name,
        "replicas": workload.replicas,
        "selector": selector_labels(workload),
        "pod_labels": labels(workload),
        "placement": placement(workload),
        "grace_seconds": DEFAULT_GRACE_SECONDS,
        "user_id": USER_ID,
        "container": server_container(workload.server, workload.platform),
        "volumes": [volume(mount) for mount in folders(workload.server)],
    }
