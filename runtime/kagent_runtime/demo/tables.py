"""Server-side tables (`as=Table`) with the columns kubectl users know."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

Object = dict[str, Any]
Cell = Callable[[Object, datetime], Any]


def table(items: list[Object], resource: str, now: datetime, resource_version: str) -> Object:
    """A meta.k8s.io/v1 Table of the items."""
    columns = _COLUMNS.get(resource, _GENERIC)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": resource_version},
        "columnDefinitions": [_definition(name, priority) for name, priority, _ in columns],
        "rows": [{"cells": [cell(item, now) for _, _, cell in columns], "object": _partial(item)} for item in items],
    }


def _definition(name: str, priority: int) -> Object:
    kind = "integer" if name in ("Up-to-date", "Available", "Desired", "Current", "Data") else "string"
    shape = "name" if name == "Name" else ""
    return {"name": name, "type": kind, "format": shape, "description": "", "priority": priority}


def _partial(item: Object) -> Object:
    metadata = item["metadata"]
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}


def duration(seconds: float) -> str:
    """An age the way kubectl prints it: 95s, 5m10s, 14m, 3h7m, 2d3h, 41d."""
    total = max(0, int(seconds))
    for below, size, unit, smaller, smaller_unit in _STEPS:
        if total < below:
            rest = total % size // smaller if smaller else 0
            return f"{total // size}{unit}{rest}{smaller_unit}" if rest else f"{total // size}{unit}"
    return f"{total // 86_400}d"


# (used below this many seconds, unit, its name, the smaller unit shown with it)
_STEPS = (
    (120, 1, "s", 0, ""),
    (600, 60, "m", 1, "s"),
    (3 * 3_600, 60, "m", 0, ""),
    (8 * 3_600, 3_600, "h", 60, "m"),
    (48 * 3_600, 3_600, "h", 0, ""),
    (8 * 86_400, 86_400, "d", 3_600, "h"),
)


def _since(text: str | None, now: datetime) -> str:
    if not text:
        return "<unknown>"
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return duration((now - moment).total_seconds())


def _name(item: Object, _: datetime) -> str:
    return str(item["metadata"]["name"])


def _age(item: Object, now: datetime) -> str:
    return _since(item["metadata"].get("creationTimestamp"), now)


def _at(*path: str, default: Any = "<none>") -> Cell:
    def cell(item: Object, _: datetime) -> Any:
        value: Any = item
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        return default if value in (None, "", [], {}) else value

    return cell


def _containers(item: Object) -> list[Object]:
    return list(item.get("status", {}).get("containerStatuses") or [])


def _pod_ready(item: Object, _: datetime) -> str:
    return f"{sum(1 for status in _containers(item) if status['ready'])}/{len(item['spec']['containers'])}"


def _pod_status(item: Object, _: datetime) -> str:
    for status in _containers(item):
        for state in ("waiting", "terminated"):
            reason = status["state"].get(state, {}).get("reason")
            if reason:
                return str(reason)
    return str(item["status"]["phase"])


def _pod_restarts(item: Object, now: datetime) -> str:
    count = sum(status["restartCount"] for status in _containers(item))
    ends = [status["lastState"]["terminated"]["finishedAt"] for status in _containers(item) if status["lastState"]]
    return f"{count} ({_since(max(ends), now)} ago)" if ends else str(count)


def _ratio(item: Object, _: datetime) -> str:
    return f"{item['status'].get('readyReplicas', 0)}/{item['spec']['replicas']}"


def _ports(item: Object, _: datetime) -> str:
    return ",".join(f"{port['port']}/{port['protocol']}" for port in item["spec"]["ports"])


def _selector(item: Object, _: datetime) -> str:
    return ",".join(f"{key}={value}" for key, value in (item["spec"].get("selector") or {}).items()) or "<none>"


def _slice_ports(item: Object, _: datetime) -> str:
    return ",".join(str(port["port"]) for port in item["ports"])


def _slice_addresses(item: Object, _: datetime) -> str:
    return ",".join(address for endpoint in item["endpoints"] for address in endpoint["addresses"]) or "<unset>"


def _event_object(item: Object, _: datetime) -> str:
    return f"{item['involvedObject']['kind'].lower()}/{item['involvedObject']['name']}"


def _last_seen(item: Object, now: datetime) -> str:
    return _since(item.get("lastTimestamp"), now)


def _data(item: Object, _: datetime) -> int:
    return len(item.get("data") or {})


_Columns = list[tuple[str, int, Cell]]
_GENERIC: _Columns = [("Name", 0, _name), ("Age", 0, _age)]
_COLUMNS: dict[str, _Columns] = {
    "pods": [
        ("Name", 0, _name),
        ("Ready", 0, _pod_ready),
        ("Status", 0, _pod_status),
        ("Restarts", 0, _pod_restarts),
        ("Age", 0, _age),
        ("IP", 1, _at("status", "podIP")),
        ("Node", 1, _at("spec", "nodeName")),
    ],
    "deployments": [
        ("Name", 0, _name),
        ("Ready", 0, _ratio),
        ("Up-to-date", 0, _at("status", "updatedReplicas", default=0)),
        ("Available", 0, _at("status", "availableReplicas", default=0)),
        ("Age", 0, _age),
    ],
    "statefulsets": [("Name", 0, _name), ("Ready", 0, _ratio), ("Age", 0, _age)],
    "replicasets": [
        ("Name", 0, _name),
        ("Desired", 0, _at("spec", "replicas", default=0)),
        ("Current", 0, _at("status", "replicas", default=0)),
        ("Ready", 0, _at("status", "readyReplicas", default=0)),
        ("Age", 0, _age),
    ],
    "services": [
        ("Name", 0, _name),
        ("Type", 0, _at("spec", "type")),
        ("Cluster-IP", 0, _at("spec", "clusterIP")),
        ("External-IP", 0, _at("spec", "externalName")),
        ("Port(s)", 0, _ports),
        ("Age", 0, _age),
        ("Selector", 1, _selector),
    ],
    "endpointslices": [
        ("Name", 0, _name),
        ("AddressType", 0, _at("addressType")),
        ("Ports", 0, _slice_ports),
        ("Endpoints", 0, _slice_addresses),
        ("Age", 0, _age),
    ],
    "events": [
        ("Last Seen", 0, _last_seen),
        ("Type", 0, _at("type")),
        ("Reason", 0, _at("reason")),
        ("Object", 0, _event_object),
        ("Message", 0, _at("message")),
        ("Count", 1, _at("count", default=1)),
        ("Name", 1, _name),
    ],
    "configmaps": [("Name", 0, _name), ("Data", 0, _data), ("Age", 0, _age)],
    "namespaces": [("Name", 0, _name), ("Status", 0, _at("status", "phase")), ("Age", 0, _age)],
}
