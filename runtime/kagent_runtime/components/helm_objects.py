"""The objects that the manifest of a release describes."""

from __future__ import annotations

from typing import Any

import yaml

from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.components.resources import Resource

Key = tuple[str, str, str]
"""Kind, namespace and name."""
Objects = dict[Key, dict[str, Any]]


def objects(manifest: str) -> Objects:
    """Each by its key. Raises ToolFailureError for what is not YAML."""
    found: Objects = {}
    try:
        for item in yaml.load_all(manifest, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if isinstance(item, dict):
                metadata = item["metadata"] = item.get("metadata") or {}
                found[str(item.get("kind")), str(metadata.get("namespace") or ""), str(metadata.get("name"))] = item
    except yaml.YAMLError:
        raise ToolFailureError(
            "the manifests of this release are not YAML, so what would change cannot be told"
        ) from None
    return found


def title_of(key: Key) -> str:
    """An object in words."""
    kind, namespace, name = key
    return f"{kind}/{name}" + (f" in namespace {namespace}" if namespace else "")


def resource_of(kind: str) -> Resource:
    """Which objects hold secrets is all that matters here."""
    return Resource("secrets" if kind == "Secret" else kind.lower(), "v1", "", namespaced=True)
