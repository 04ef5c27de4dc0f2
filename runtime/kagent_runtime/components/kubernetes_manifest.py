"""Manifests and patches that a model writes: one object of YAML or JSON, within what is granted."""

from __future__ import annotations

from typing import Any

import yaml

from kagent_runtime.components.kubernetes_arguments import ArgumentError, name_of, path_of
from kagent_runtime.components.resources import Resource, find
from kagent_runtime.model import KubernetesTool

MAX_LENGTH = 262_144
_TIMESTAMP = "tag:yaml.org,2002:timestamp"


class _Loader(yaml.SafeLoader):
    """As kubectl reads YAML: dates are text. Without aliases, of which a few lines can make an object of gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """A node. Raises YAMLError for an alias."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load_object(text: str, argument: str) -> dict[str, Any]:
    """The one object in a text. Raises ArgumentError."""
    if len(text) > MAX_LENGTH:
        raise ArgumentError(f"`{argument}` is longer than {MAX_LENGTH:,} characters")
    try:
        found = [one for one in yaml.load_all(text, _Loader) if one is not None]
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ArgumentError(f"`{argument}` is not valid YAML: {' '.join(str(error).split())[:300]}") from None
    if len(found) != 1 or not isinstance(found[0], dict):
        raise ArgumentError(f"`{argument}` must be one object, not {len(found) if len(found) != 1 else 'a value'}")
    return found[0]


def manifest_of(text: str) -> dict[str, Any]:
    """The object that a manifest describes. Raises ArgumentError that says what is missing."""
    found = load_object(text, "manifest")
    metadata = found.get("metadata")
    for field in ("apiVersion", "kind"):
        if not isinstance(found.get(field), str):
            raise ArgumentError(f"`manifest` has no `{field}`")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        raise ArgumentError("`manifest` has no `metadata.name`")
    kept = {key: value for key, value in metadata.items() if key not in ("managedFields", "resourceVersion", "uid")}
    return {key: value for key, value in found.items() if key != "status"} | {"metadata": kept}


def place_of(tool: KubernetesTool, manifest: dict[str, Any]) -> tuple[Resource, str, str]:
    """The resource, the path and the namespace of a manifest's object. Raises ArgumentError when not granted."""
    group, _, version = str(manifest["apiVersion"]).rpartition("/")
    kind, metadata = str(manifest["kind"]), manifest["metadata"]
    resource = find(tool, kind)
    if resource is None or (resource.group, resource.version) != (group, version):
        names = ", ".join([*tool.resources, *tool.cluster_resources])
        raise ArgumentError(f"{manifest['apiVersion']} {kind} is not granted; {tool.name} is for: {names}")
    path, namespace = path_of(tool, resource, metadata)
    if namespace == "*":
        raise ArgumentError("`metadata.namespace` must name a namespace")
    if namespace:
        metadata["namespace"] = namespace
    return resource, f"{path}/{name_of(metadata['name'])}", namespace
