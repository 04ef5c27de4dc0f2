"""Kubernetes objects as a model may see them: without what is bookkeeping, and without the values of Secrets."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import unified_diff
from typing import Any

import yaml

from kagent_runtime.components.resources import Resource

_MASK = "[masked]"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"  # repeats the object, a Secret's values included


def clean(item: Any, resource: Resource) -> Any:
    """Without managed fields, and without the values of a Secret (the items of a list do not say their kind)."""
    metadata = dict(item.get("metadata") or {})
    metadata.pop("managedFields", None)
    annotations = dict(metadata.get("annotations") or {})
    annotations.pop(_LAST_APPLIED, None)
    metadata["annotations"] = annotations
    cleaned = item | {"metadata": {key: value for key, value in metadata.items() if value not in ({}, None)}}
    if (resource.group, resource.resource) == ("", "secrets"):
        for field in ("data", "stringData"):
            if isinstance(item.get(field), dict):
                cleaned[field] = dict.fromkeys(item[field], _MASK)
    return cleaned


# What changes by itself, and says nothing of what was asked for.
_BOOKKEEPING = ("creationTimestamp", "generation", "resourceVersion", "selfLink", "uid")


def wanted_state(item: Any, resource: Resource) -> Any:
    """What somebody wants of an object: without its status and what the API server keeps of it."""
    shown = {key: value for key, value in clean(item, resource).items() if key != "status"}
    metadata = {key: value for key, value in shown["metadata"].items() if key not in _BOOKKEEPING}
    return shown | {"metadata": metadata}


def difference(
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any],
    resource: Resource,
    names: tuple[str, str] = ("now", "then"),
) -> str:
    """A unified diff of two states of an object, "" for none. That a Secret's value changes is told, not the value."""
    old = wanted_state(before, resource) if before is not None else {}
    new = wanted_state(after, resource)
    for field in ("data", "stringData"):
        changed = _changed_keys((before or {}).get(field), after.get(field))
        if new.get(field) and (resource.group, resource.resource) == ("", "secrets"):
            new[field] = {key: "[masked, changed]" if key in changed else value for key, value in new[field].items()}
    lines = unified_diff(_lines(old), _lines(new), *names, n=3, lineterm="")
    return "\n".join(lines)


def _changed_keys(before: Any, after: Any) -> set[str]:
    old, new = (value if isinstance(value, Mapping) else {} for value in (before, after))
    return {key for key in new if key not in old or old[key] != new[key]}


def _lines(value: Any) -> list[str]:
    return yaml.safe_dump(value, allow_unicode=True, width=200).splitlines() if value else []
