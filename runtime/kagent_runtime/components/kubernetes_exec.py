"""One command in a container: planned with the pod that is meant, and run when that is still the same pod."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from kagent_runtime.components.cluster import ClusterError
from kagent_runtime.components.condense import Answer, ends
from kagent_runtime.components.kubernetes_arguments import ArgumentError, Arguments, name_of, namespace_of
from kagent_runtime.components.kubernetes_commands import argv_of, check_command, shown
from kagent_runtime.components.kubernetes_plan import Plan, read
from kagent_runtime.components.kubernetes_streams import Outcome, execute
from kagent_runtime.components.texts import printable
from kagent_runtime.model import KubernetesTool

_DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
_KINDS = (
    ("containers", "containerStatuses"),
    ("initContainers", "initContainerStatuses"),
    ("ephemeralContainers", "ephemeralContainerStatuses"),
)
Object = Mapping[str, Any]


def exec_(tool: KubernetesTool, arguments: Arguments, timeout: float) -> Plan:
    """The plan of a command. Raises ArgumentError and ClusterError."""
    # Before the time of the call is over, so that what the command has written until then is told.
    end = time.monotonic() + timeout * 0.8
    argv = argv_of(str(arguments["command"]))
    check_command(argv, tool.commands)
    name, namespace = name_of(arguments["pod"]), namespace_of(tool, arguments)
    if namespace == "*":
        raise ArgumentError("`namespace` must name the namespace of the pod")
    path = f"/api/v1/namespaces/{namespace}/pods/{name}"
    pod = read(path, timeout)
    container = _container(pod, str(arguments.get("container") or ""), f"pods/{name}")
    preview = [
        f"run a command in pods/{name} in namespace {namespace}",
        f"container: {shown([container['name']])[1:-1]}",
        f"image: {shown([str(container.get('image', ''))])[1:-1]}",
        f"pod uid: {pod['metadata']['uid']}",
        f"command: {shown(argv)}",
    ]

    def commit() -> Answer:
        query = [("container", str(container["name"])), *(("command", one) for one in argv)]
        query += [("stdin", "false"), ("stdout", "true"), ("stderr", "true"), ("tty", "false")]
        return _told(execute(f"{path}/exec", query, max(end - time.monotonic(), 0.1)))

    return Plan("\n".join(preview), commit)


def _container(pod: Object, wanted: str, title: str) -> Object:
    """The container that is meant, which has to run. Raises ArgumentError that says which there are."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    every = {one["name"]: one for kind, _ in _KINDS for one in spec.get(kind) or ()}
    containers = [one["name"] for one in spec.get("containers") or ()]
    default = (pod["metadata"].get("annotations") or {}).get(_DEFAULT_CONTAINER, "")
    name = wanted or (containers[0] if len(containers) == 1 else default)
    if name not in every:
        raise ArgumentError(f"`container` must name one of those of {title}: {', '.join(every)}")
    states = {one["name"]: one.get("state") or {} for _, kind in _KINDS for one in status.get(kind) or ()}
    if "running" not in states.get(name, {}):
        state = ", ".join(states.get(name, {})) or str(status.get("phase") or "not started").lower()
        raise ArgumentError(f"the container `{name}` of {title} does not run: {state}")
    found: Object = every[name]
    return found


def _told(outcome: Outcome) -> Answer:
    """What a model is told of a command. Raises ClusterError when it is not known how it ended."""
    streams = [(name, _text(data)) for name, data in (("stderr", outcome.stderr), ("stdout", outcome.stdout)) if data]

    def told(limit: int) -> str:
        head = outcome.ending or f"exit code {outcome.code}"
        parts, left = [], limit - len(head.encode()) - 20
        for index, (name, text) in enumerate(streams):
            # What went wrong is told first, within half of the room when there are both.
            shortened = ends(text, left // (len(streams) - index))
            left -= len(shortened.encode())
            parts.append(f"{name}:\n{shortened}")
        return "\n".join([head, *parts] if parts else [f"{head}, no output"])

    if outcome.code is None:
        raise ClusterError(told(16_384))
    return told


def _text(data: bytearray) -> str:
    return printable(data.decode("utf-8", "replace")).rstrip("\n")
