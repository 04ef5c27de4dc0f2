"""A Kubernetes object as text for a model: what `kubectl describe` would lead with, then the rest as YAML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

Object = Mapping[str, Any]
_SHOWN = {"apiVersion", "kind", "metadata", "spec", "status"}
_CONTAINER_STATUSES = ("initContainerStatuses", "containerStatuses")


def describe(item: Object) -> str:
    """The object without its events."""
    spec, status = item.get("spec") or {}, item.get("status") or {}
    parts = [
        _head(item),
        _section("Conditions", table(_conditions(status)) if status.get("conditions") else ""),
        _section("Containers", "\n".join(_containers(spec, status))),
        _section("Spec", to_yaml(_without(spec, "initContainers", "containers"))),
        _section("Status", to_yaml(_without(status, "conditions", *_CONTAINER_STATUSES))),
    ]
    parts += [_section(key, to_yaml(value)) for key, value in item.items() if key not in _SHOWN]
    return "\n".join(part for part in parts if part)


def table(rows: list[list[str]]) -> str:
    """Aligned columns, as kubectl prints them."""
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    return "\n".join("   ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def to_yaml(value: Any) -> str:
    """YAML, or nothing for what is empty."""
    if value in (None, {}, [], ""):
        return ""
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=200)


def _head(item: Object) -> str:
    metadata = item.get("metadata") or {}
    owners = [f"{owner.get('kind')}/{owner.get('name')}" for owner in metadata.get("ownerReferences") or []]
    pairs = {
        "Name": metadata.get("name"),
        "Namespace": metadata.get("namespace"),
        "Kind": f"{item.get('kind', '')} ({item.get('apiVersion', '')})",
        "Labels": _pairs(metadata.get("labels")),
        "Annotations": _pairs(metadata.get("annotations")),
        "Created": metadata.get("creationTimestamp"),
        "Being deleted since": metadata.get("deletionTimestamp"),
        "Owned by": ", ".join(owners),
    }
    return "".join(f"{name + ':':<14}{value}\n" for name, value in pairs.items() if value)


def _pairs(values: Object | None) -> str:
    return ", ".join(f"{key}={value}" for key, value in (values or {}).items())


def _section(title: str, text: str) -> str:
    body = "".join(f"  {line}\n" for line in text.splitlines())
    return f"{title[0].upper()}{title[1:]}:\n{body}" if body else ""


def _without(value: Any, *keys: str) -> Any:
    return {key: item for key, item in value.items() if key not in keys} if isinstance(value, Mapping) else value


def _conditions(status: Object) -> list[list[str]]:
    names = ("type", "status", "reason", "message", "lastTransitionTime")
    rows = [[_line(condition.get(name)) for name in names] for condition in status["conditions"]]
    return [["TYPE", "STATUS", "REASON", "MESSAGE", "SINCE"], *rows]


def _containers(spec: Any, status: Any) -> Iterator[str]:
    found = {entry["name"]: entry for key in _CONTAINER_STATUSES for entry in status.get(key) or ()}
    for key in ("initContainers", "containers"):
        for container in spec.get(key) or ():
            yield f"{container['name']}:"
            yield from (f"  {line}" for line in _state(found.get(container["name"])))
            yield from (f"  {line}" for line in to_yaml(_without(container, "name")).splitlines())


def _state(status: Object | None) -> Iterator[str]:
    if status is None:
        return
    yield f"ready: {status.get('ready')}, restarts: {status.get('restartCount', 0)}"
    for title, key in (("state", "state"), ("last state", "lastState")):
        for name, details in (status.get(key) or {}).items():
            told = ", ".join(f"{field} {_line(value)}" for field, value in (details or {}).items())
            yield f"{title}: {name}" + (f" ({told})" if told else "")


def _line(value: Any) -> str:
    return " ".join(str("" if value is None else value).split())
