"""The parts of a pod that models, tools and features ask for: variables, volumes and where they are mounted."""

from __future__ import annotations

from typing import Any

from kagent_render.catalog.base import Mount, Variable
from kagent_render.catalog.container_resources import Resources


def environment_variable(variable: Variable) -> dict[str, Any]:
    """One entry of a container's `env`."""
    if variable.secret:
        source = {"secretKeyRef": {"name": variable.secret, "key": variable.key}}
    elif variable.config_map:
        source = {"configMapKeyRef": {"name": variable.config_map, "key": variable.key}}
    else:
        return {"name": variable.name, "value": variable.value}
    return {"name": variable.name, "valueFrom": source}


def volume_mount(mount: Mount) -> dict[str, Any]:
    """One entry of a container's `volumeMounts`."""
    fields: dict[str, Any] = {"name": mount.name, "mountPath": mount.path}
    return fields | ({"readOnly": True} if mount.is_read_only else {})


def volume(mount: Mount) -> dict[str, Any]:
    """One entry of a pod's `volumes`."""
    return {"name": mount.name} | _source(mount)


def _source(mount: Mount) -> dict[str, Any]:
    items = {"items": [{"key": key, "path": path} for key, path in mount.items]} if mount.items else {}
    if mount.secret:
        return {"secret": {"secretName": mount.secret} | items}
    if mount.config_map:
        return {"configMap": {"name": mount.config_map} | items}
    if mount.claim:
        return {"persistentVolumeClaim": {"claimName": mount.claim}}
    return {"emptyDir": {"sizeLimit": mount.size_limit} if mount.size_limit else {}}


def container_resources(resources: Resources) -> dict[str, Any]:
    """The `resources` of a container, without what is not said."""
    amounts = {"requests": resources.requests, "limits": resources.limits}
    filled = {name: amount.model_dump(exclude_none=True) for name, amount in amounts.items()}
    return {name: values for name, values in filled.items() if values}
