"""Reports that kubectl makes of lists: the events of late, and what pods and nodes use."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from kagent_runtime.components.cluster import ClusterError, request
from kagent_runtime.components.condense import Answer, Row, rows
from kagent_runtime.components.kubernetes_arguments import (
    ArgumentError,
    Arguments,
    name_of,
    narrowed_by,
    path_of,
    positive,
    resource_of,
)
from kagent_runtime.components.kubernetes_description import table
from kagent_runtime.components.resources import granted
from kagent_runtime.model import KubernetesTool

DEFAULT_EVENTS = 50
_JSON = "application/json"
Object = Mapping[str, Any]
# Of a quantity (kubernetes.io, `Quantity`): what one unit is.
_UNITS = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_UNITS |= {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}


def events(tool: KubernetesTool, arguments: Arguments, timeout: float) -> Answer:
    """The events of a namespace or of an object, newest first. Raises ArgumentError and ClusterError."""
    (resource,) = granted(tool)
    path, namespace = path_of(tool, resource, arguments)
    fields = {"involvedObject.kind": "kind", "involvedObject.name": "name", "type": "type"}
    terms = [f"{field}={name_of(arguments[given])}" for field, given in fields.items() if arguments.get(given)]
    query = {"fieldSelector": ",".join(terms)} if terms else {}
    limit = positive(arguments.get("limit") or DEFAULT_EVENTS)
    found = json.loads(request(path, query, _JSON, timeout)).get("items") or []
    if not found:
        return "No events found." if namespace == "*" else f"No events found in namespace {namespace}."
    found.sort(key=seen, reverse=True)
    left_out, hint = len(found) - limit, narrowed_by(tool, "limit", "kind", "name", "type")
    note = f"\n\n[{left_out} older events left out. {hint}]" if left_out > 0 else ""
    head, *lines = _events_table(found[:limit], with_namespace=namespace == "*")

    def told(room: int) -> str:
        order = _warnings_first
        return rows(head, lines, room - len(note.encode()), order=order, kind=_reason, hint=hint) + note

    return told


def _warnings_first(row: Row) -> int:
    return 0 if row["TYPE"] == "Warning" else 1


def _reason(row: Row) -> str:
    return f"{row['TYPE']} {row['REASON']}"


def _events_table(items: Sequence[Object], *, with_namespace: bool) -> list[list[str]]:
    lines = [["NAMESPACE", "LAST SEEN", "TYPE", "REASON", "OBJECT", "COUNT", "MESSAGE"]]
    for event in items:
        about = event.get("involvedObject") or {}
        line = [str((event.get("metadata") or {}).get("namespace", "")), seen(event)]
        line += [str(event.get("type", "")), str(event.get("reason", ""))]
        line += [f"{about.get('kind', '')}/{about.get('name', '')}", str(event.get("count") or 1)]
        lines.append([*line, " ".join(str(event.get("message", "")).split())])
    return lines if with_namespace else [line[1:] for line in lines]


def seen(event: Object) -> str:
    """When an event happened last."""
    series = event.get("series") or {}
    last = event.get("lastTimestamp") or series.get("lastObservedTime") or event.get("eventTime")
    return str(last or event.get("firstTimestamp") or "")


def top(tool: KubernetesTool, arguments: Arguments, timeout: float) -> str:
    """What pods or nodes use, by the metrics API. Raises ArgumentError and ClusterError."""
    kinds = [item.resource for item in granted(tool)]
    wanted = arguments.get("resource") or ("pods" if "pods" in kinds else kinds[0])
    resource = resource_of(tool, {"resource": wanted})
    path, namespace = path_of(tool, resource, arguments)
    query = {"labelSelector": str(arguments["labelSelector"])} if arguments.get("labelSelector") else {}
    items = _metrics(path, query, timeout)
    name = name_of(arguments.get("name"))
    used = [(_used(item), item["metadata"]) for item in items if name in (None, item["metadata"]["name"])]
    if not used:
        raise ArgumentError(f"there are no metrics of {name or resource.resource} yet; it may not be running")
    used.sort(key=lambda row: (-row[0][0], row[1]["name"]))
    head, lines = ["NAME", "CPU(cores)", "MEMORY(bytes)"], []
    for (cpu, memory), metadata in used:
        line = [metadata["name"], f"{round(cpu * 1000)}m", f"{round(memory / 2**20)}Mi"]
        lines.append([metadata.get("namespace", ""), *line] if namespace == "*" else line)
    return table([["NAMESPACE", *head] if namespace == "*" else head, *lines])


def _metrics(path: str, query: dict[str, str], timeout: float) -> list[dict[str, Any]]:
    try:
        return list(json.loads(request(path, query, _JSON, timeout)).get("items") or [])
    except ClusterError as error:
        if error.status in (404, 503):
            text = f"the cluster serves no metrics API, which metrics-server would ({error})"
            raise ClusterError(text, error.status) from None
        raise


def _used(item: Object) -> tuple[float, float]:
    parts = [item] if "usage" in item else item.get("containers") or []
    return sum(_number(part["usage"]["cpu"]) for part in parts), sum(_number(part["usage"]["memory"]) for part in parts)


def _number(quantity: str) -> float:
    digits = quantity.rstrip("numkKMGTi")
    return float(digits or 0) * _UNITS.get(quantity[len(digits) :], 1.0)
