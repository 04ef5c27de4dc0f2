"""The Kubernetes operations: what each requests, and how it is shown to a model.

Requests stay within the RBAC that the compiler renders: `get` gets or lists the resource, `describe` gets it and
lists core events, `logs` reads pods/log. No discovery.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from kagent_runtime.components.arguments import with_defaults
from kagent_runtime.components.cluster import CONNECTION, ClusterError, request
from kagent_runtime.components.kubernetes_description import describe, table, to_yaml
from kagent_runtime.components.resources import Resource, find, granted
from kagent_runtime.model import KubernetesTool

_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
_JSON = "application/json"
_MASK = "[masked]"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"  # repeats the object, a Secret's values included
DEFAULT_TAIL_LINES = 200
Arguments = Mapping[str, Any]


class ArgumentError(Exception):
    """The model gave an argument that is not granted or not valid. The text tells it what is."""


def run(tool: KubernetesTool, arguments: Arguments, timeout: float) -> str:
    """Run a tool's operation. Blocks. Raises ArgumentError, and ClusterError from the request."""
    arguments = with_defaults(tool.parameters, arguments)
    _check_names(tool, arguments)
    return _OPERATIONS[tool.operation](tool, arguments, timeout)


def _check_names(tool: KubernetesTool, arguments: Arguments) -> None:
    known = tool.parameters.properties
    for name, value in arguments.items():
        if name not in known:
            raise ArgumentError(f"`{name}` is not an argument of {tool.name}; it takes: {', '.join(known)}")
        choices = known[name].enum
        if choices and value not in choices:
            raise ArgumentError(f"`{name}` must be one of: {', '.join(map(str, choices))}")
    for name in tool.parameters.required:
        if arguments.get(name) in (None, ""):
            raise ArgumentError(f"the argument `{name}` is required")


def _get(tool: KubernetesTool, arguments: Arguments, timeout: float) -> str:
    resource = _resource(tool, arguments)
    name = _name(arguments.get("name"))
    path, namespace = _path(tool, resource, arguments)
    query = {key: str(arguments[key]) for key in ("labelSelector", "fieldSelector") if arguments.get(key)}
    as_yaml = arguments.get("output") == "yaml"
    full = f"{path}/{name}" if name else path
    data = json.loads(request(full, {} if name else query, _JSON if as_yaml else _TABLE, timeout))
    if as_yaml:
        items = data.get("items", []) if not name else data
        return _to_yaml(items, resource)
    return _table(data, resource, namespace)


def _describe(tool: KubernetesTool, arguments: Arguments, timeout: float) -> str:
    resource = _resource(tool, arguments)
    name = _name(arguments["name"]) or ""
    path, namespace = _path(tool, resource, arguments)
    found = json.loads(request(f"{path}/{name}", {}, _JSON, timeout))
    shown = describe(_clean(found, resource))
    return f"{shown}\nEvents:\n{_events_of(found, tool, resource, namespace, timeout)}"


def _events_of(found: dict[str, Any], tool: KubernetesTool, resource: Resource, namespace: str, timeout: float) -> str:
    if not resource.namespaced and tool.namespaces != ["*"]:
        # Those events are in another namespace than what was granted; asking would only be refused.
        return "not granted for objects without a namespace"
    scope = f"/namespaces/{namespace}" if resource.namespaced and namespace else ""
    selector = f"involvedObject.name={found['metadata']['name']},involvedObject.kind={found.get('kind', '')}"
    try:
        events = json.loads(request(f"/api/v1{scope}/events", {"fieldSelector": selector}, _JSON, timeout))
    except ClusterError as error:
        return f"not readable: {error}"  # the object itself is still worth telling
    return _events(events.get("items", []))


def _logs(tool: KubernetesTool, arguments: Arguments, timeout: float) -> str:
    pod = _name(arguments["pod"])
    namespace = _namespace(tool, arguments)
    query = {"tailLines": str(_positive(arguments.get("tailLines") or DEFAULT_TAIL_LINES))}
    if arguments.get("container"):
        query["container"] = str(arguments["container"])
    if arguments.get("previous"):
        query["previous"] = "true"
    if arguments.get("sinceSeconds"):
        query["sinceSeconds"] = str(_positive(arguments["sinceSeconds"]))
    data = request(f"/api/v1/namespaces/{namespace}/pods/{pod}/log", query, "*/*", timeout)
    return data.decode("utf-8", "replace") or "The log is empty."


_OPERATIONS: dict[str, Callable[[KubernetesTool, Arguments, float], str]] = {
    "get": _get,
    "describe": _describe,
    "logs": _logs,
}


def _resource(tool: KubernetesTool, arguments: Arguments) -> Resource:
    wanted = str(arguments["resource"])
    found = find(tool, wanted)
    if found is None:
        names = ", ".join(item.resource for item in granted(tool))
        raise ArgumentError(f"`{wanted[:60]}` is not granted; {tool.name} may read: {names}")
    return found


def _namespace(tool: KubernetesTool, arguments: Arguments) -> str:
    allowed = tool.namespaces or [CONNECTION.namespace]
    default = allowed[0] if allowed != ["*"] else CONNECTION.namespace
    wanted = str(arguments.get("namespace") or default)
    if allowed != ["*"] and wanted not in allowed:
        raise ArgumentError(f"namespace `{wanted}` is not granted; {tool.name} may read: {', '.join(allowed)}")
    return wanted if wanted == "*" else _name(wanted) or wanted


def _path(tool: KubernetesTool, resource: Resource, arguments: Arguments) -> tuple[str, str]:
    if not resource.namespaced:
        return f"{resource.path}/{resource.resource}", ""
    namespace = _namespace(tool, arguments)
    if namespace == "*":
        return f"{resource.path}/{resource.resource}", "*"
    return f"{resource.path}/namespaces/{namespace}/{resource.resource}", namespace


def _name(value: Any) -> str | None:
    """A name that cannot leave its place in the path."""
    if value in (None, ""):
        return None
    text = str(value)
    if not all(char.isalnum() or char in "-._:" for char in text) or text in (".", ".."):
        raise ArgumentError(f"`{text[:60]}` is not a name")
    return text


def _positive(value: Any) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = 0
    if number < 1:
        raise ArgumentError(f"`{value}` is not a positive number")
    return number


def _table(data: dict[str, Any], resource: Resource, namespace: str) -> str:
    if data.get("kind") != "Table":  # a server that cannot print tables
        return _to_yaml(data.get("items", data), resource)
    rows = data.get("rows") or []
    if not rows:
        place = f" in namespace {namespace}" if namespace not in ("", "*") else ""
        return f"No {resource.resource} found{place}."
    shown = [index for index, column in enumerate(data["columnDefinitions"]) if column.get("priority", 0) == 0]
    lines = [[str(data["columnDefinitions"][index]["name"]).upper() for index in shown]]
    lines += [[str(row["cells"][index]) for index in shown] for row in rows]
    if namespace == "*":
        spaces = ["NAMESPACE", *(row.get("object", {}).get("metadata", {}).get("namespace", "") for row in rows)]
        lines = [[space, *line] for space, line in zip(spaces, lines, strict=True)]
    return table(lines)


def _events(events: list[dict[str, Any]]) -> str:
    if not events:
        return "none"
    lines = [["LAST SEEN", "COUNT", "TYPE", "REASON", "MESSAGE"]]
    for event in sorted(events, key=lambda item: _seen(item)):
        message = " ".join(str(event.get("message", "")).split())
        row = [_seen(event), str(event.get("count") or 1), event.get("type", ""), event.get("reason", ""), message]
        lines.append(row)
    return table(lines)


def _seen(event: dict[str, Any]) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event.get("firstTimestamp") or "")


def _to_yaml(data: Any, resource: Resource) -> str:
    cleaned = [_clean(item, resource) for item in data] if isinstance(data, list) else _clean(data, resource)
    return to_yaml(cleaned) or f"No {resource.resource} found."


def _clean(item: Any, resource: Resource) -> Any:
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
