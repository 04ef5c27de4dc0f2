"""The Kubernetes operations: what each requests, and how it is shown to a model.

Requests stay within the RBAC that the compiler renders: `get` gets or lists the resource, `describe` gets it and
lists core events, `logs` reads pods/log. Of these none needs discovery. Those that change something are plans: see
kubernetes_plan.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from kagent_runtime.components.arguments import with_defaults
from kagent_runtime.components.cluster import ClusterError, request
from kagent_runtime.components.condense import Answer, fitted, health, log, rows, status
from kagent_runtime.components.kubernetes_arguments import (
    ArgumentError,
    Arguments,
    check_names,
    name_of,
    namespace_of,
    narrowed_by,
    path_of,
    positive,
    resource_of,
)
from kagent_runtime.components.kubernetes_changes import CHANGES
from kagent_runtime.components.kubernetes_description import describe, table, to_yaml
from kagent_runtime.components.kubernetes_discovery import api_resources, explain
from kagent_runtime.components.kubernetes_objects import clean
from kagent_runtime.components.kubernetes_reports import events, seen, top
from kagent_runtime.components.kubernetes_rollouts import rollout_history, rollout_status
from kagent_runtime.components.resources import Resource
from kagent_runtime.components.texts import bounded, printable
from kagent_runtime.model import KubernetesTool

__all__ = ["ArgumentError", "preview", "run"]
_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
_JSON = "application/json"
DEFAULT_TAIL_LINES = 200
MAX_OUTPUT_BYTES = 65_536


def run(
    tool: KubernetesTool,
    arguments: Arguments,
    timeout: float,
    approved: str | None = None,
    limit: int = MAX_OUTPUT_BYTES,
) -> str:
    """Run a tool's operation. Blocks. Raises ArgumentError, and ClusterError from the request.

    `approved` is the preview that a person saw: nothing else is done than what it says. Lists and logs are made
    to fit into `limit` bytes.
    """
    arguments = _checked(tool, arguments)
    if reading := _READING.get(tool.operation):
        return fitted(reading(tool, arguments, timeout), limit)
    plan = CHANGES[tool.operation](tool, arguments, timeout)
    if approved is not None and (now := bounded(plan.preview)) != approved:
        raise ArgumentError(f"not done: the cluster has changed since this was approved. It would now be:\n{now}")
    return fitted(plan.commit(), limit)


def preview(tool: KubernetesTool, arguments: Arguments, timeout: float) -> str | None:
    """What a call would change, by a dry run; None for one that changes nothing. Blocks. Raises as `run` does."""
    if tool.operation in _READING:
        return None
    return bounded(CHANGES[tool.operation](tool, _checked(tool, arguments), timeout).preview)


def _checked(tool: KubernetesTool, arguments: Arguments) -> Arguments:
    arguments = with_defaults(tool.parameters, arguments)
    check_names(tool, arguments)
    return arguments


def _get(tool: KubernetesTool, arguments: Arguments, timeout: float) -> Answer:
    resource = resource_of(tool, arguments)
    name = name_of(arguments.get("name"))
    path, namespace = path_of(tool, resource, arguments)
    query = {key: str(arguments[key]) for key in ("labelSelector", "fieldSelector") if arguments.get(key)}
    as_yaml = arguments.get("output") == "yaml"
    full = f"{path}/{name}" if name else path
    data = json.loads(request(full, {} if name else query, _JSON if as_yaml else _TABLE, timeout))
    if as_yaml:
        items = data.get("items", []) if not name else data
        return _to_yaml(items, resource)
    return _table(data, resource, namespace, narrowed_by(tool, "name", "labelSelector", "fieldSelector", "namespace"))


def _describe(tool: KubernetesTool, arguments: Arguments, timeout: float) -> str:
    resource = resource_of(tool, arguments)
    name = name_of(arguments["name"]) or ""
    path, namespace = path_of(tool, resource, arguments)
    found = json.loads(request(f"{path}/{name}", {}, _JSON, timeout))
    shown = describe(clean(found, resource))
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


def _logs(tool: KubernetesTool, arguments: Arguments, timeout: float) -> Answer:
    pod = name_of(arguments["pod"])
    namespace = namespace_of(tool, arguments)
    query = {"tailLines": str(positive(arguments.get("tailLines") or DEFAULT_TAIL_LINES))}
    if arguments.get("container"):
        query["container"] = str(arguments["container"])
    if arguments.get("previous"):
        query["previous"] = "true"
    if arguments.get("sinceSeconds"):
        query["sinceSeconds"] = str(positive(arguments["sinceSeconds"]))
    data = request(f"/api/v1/namespaces/{namespace}/pods/{pod}/log", query, "*/*", timeout)
    hint = narrowed_by(tool, "sinceSeconds", "tailLines", "container", "previous")
    return partial(log, printable(data.decode("utf-8", "replace")) or "The log is empty.", hint=hint)


_READING: dict[str, Callable[[KubernetesTool, Arguments, float], Answer]] = {
    "get": _get,
    "describe": _describe,
    "logs": _logs,
    "events": events,
    "top": top,
    "rollout-status": rollout_status,
    "rollout-history": rollout_history,
    "api-resources": api_resources,
    "explain": explain,
}


def _table(data: dict[str, Any], resource: Resource, namespace: str, hint: str) -> Answer:
    if data.get("kind") != "Table":  # a server that cannot print tables
        return _to_yaml(data.get("items", data), resource)
    found = data.get("rows") or []
    if not found:
        place = f" in namespace {namespace}" if namespace not in ("", "*") else ""
        return f"No {resource.resource} found{place}."
    shown = [index for index, column in enumerate(data["columnDefinitions"]) if column.get("priority", 0) == 0]
    lines = [[str(data["columnDefinitions"][index]["name"]).upper() for index in shown]]
    lines += [[str(row["cells"][index]) for index in shown] for row in found]
    if namespace == "*":
        spaces = ["NAMESPACE", *(row.get("object", {}).get("metadata", {}).get("namespace", "") for row in found)]
        lines = [[space, *line] for space, line in zip(spaces, lines, strict=True)]
    return partial(rows, lines[0], lines[1:], order=health, kind=status, hint=hint)


def _events(events: list[dict[str, Any]]) -> str:
    if not events:
        return "none"
    lines = [["LAST SEEN", "COUNT", "TYPE", "REASON", "MESSAGE"]]
    for event in sorted(events, key=lambda item: seen(item)):
        message = " ".join(str(event.get("message", "")).split())
        row = [seen(event), str(event.get("count") or 1), event.get("type", ""), event.get("reason", ""), message]
        lines.append(row)
    return table(lines)


def _to_yaml(data: Any, resource: Resource) -> str:
    cleaned = [clean(item, resource) for item in data] if isinstance(data, list) else clean(data, resource)
    return to_yaml(cleaned) or f"No {resource.resource} found."
