"""The container of a tool's server: in a Deployment of its own, or as a sidecar of an agent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kagent_render.catalog.base import Mount, ServerContainer
from kagent_render.catalog.tools.remote import volume_name
from kagent_render.specs.platform import PlatformSpec
from kagent_render.targets.pod import container_resources, environment_variable, volume_mount

PORT_NAME = "mcp"
_SIZE_LIMIT = "64Mi"
_SECURITY = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def folders(server: ServerContainer) -> Iterator[Mount]:
    """What it may write to, in the order of its paths."""
    for index, path in enumerate(server.folders):
        name = volume_name(server.name, f"dir-{index}")
        yield Mount(name, path, size_limit=_SIZE_LIMIT, is_read_only=False)


def server_container(server: ServerContainer, platform: PlatformSpec) -> dict[str, Any]:
    """The container as a pod has it. A sidecar is an init container that stays: the kubelet starts the agent once it
    listens, and ends it after the agent (KEP-753)."""
    port: dict[str, Any] = {"containerPort": server.port, "protocol": "TCP"}
    fields: dict[str, Any] = {
        "name": volume_name(server.name, "server"),
        "image": server.image,
        "imagePullPolicy": platform.image_pull_policy,
        "restartPolicy": "Always" if server.is_sidecar else None,
        "command": list(server.command) or None,
        "args": list(server.args) or None,
        "env": [environment_variable(variable) for variable in server.variables] or None,
        # Without a name: a Service or PodMonitor of the agent must not find this port by one.
        "ports": [port if server.is_sidecar else {"name": PORT_NAME} | port],
        "resources": container_resources(server.resources),
        "securityContext": _SECURITY,
        **_probes(server),
        "volumeMounts": [volume_mount(mount) for mount in folders(server)],
    }
    return {key: value for key, value in fields.items() if value is not None}


def _probes(server: ServerContainer) -> dict[str, Any]:
    """Whether it listens: what else a server answers without a session is its own affair."""
    connect = {"tcpSocket": {"port": server.port}}
    probes: dict[str, Any] = {
        "startupProbe": connect | {"periodSeconds": 2, "failureThreshold": 30},
        "livenessProbe": connect | {"periodSeconds": 10, "timeoutSeconds": 5},
    }
    # An agent goes on while a tool is away, and tells its model so: a sidecar must not take it out of its Service.
    return probes if server.is_sidecar else probes | {"readinessProbe": connect | {"periodSeconds": 5}}
