"""How the workloads are doing, from the objects that a cluster holds: pods that are ready, restarts, what fails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

Object = Mapping[str, Any]
# Conditions that are bad when they are false, and those that are bad when they are true.
_GOOD = {"Ready", "Available", "Accepted", "ResolvedRefs", "Progressing", "RoutesReady", "ConfigurationsReady"}
_BAD = {"Fallback", "Paused", "ReplicaFailure", "Degraded", "Stalled"}
_STARTING = {"ContainerCreating", "PodInitializing"}


@dataclass(frozen=True, slots=True)
class Status:
    """One workload. `is_deployed` is False when the cluster does not have it; `pods` and `problems` are words."""

    namespace: str
    name: str
    is_deployed: bool
    ready: int = 0
    desired: int = 0
    restarts: int = 0
    pods: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """`1/1 ready, 3 restarts, ScaledObject not Ready: TriggerError`."""
        if not self.is_deployed:
            return "not deployed"
        ready = f"{self.ready}/{self.desired} ready" if self.desired or self.ready else "scaled to zero"
        restarts = f"{self.restarts} restart{'s' if self.restarts > 1 else ''}" if self.restarts else ""
        return ", ".join(part for part in (ready, restarts, *self.problems) if part)

    def record(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self) | {"pods": list(self.pods), "problems": list(self.problems)}


def status_of(
    namespace: str, name: str, selector: Mapping[str, str], objects: Sequence[Object], pods: Iterable[Object]
) -> Status:
    """The status of a workload: `objects` are those of its rendered ones that are live, `pods` any of the cluster."""
    own = [pod for pod in pods if _is_selected(pod, namespace, selector)]
    deployments = [item for item in objects if item["kind"] == "Deployment"]
    desired = sum(_number(item.get("spec"), "replicas", 1) for item in deployments)
    ready = sum(_number(item.get("status"), "readyReplicas", 0) for item in deployments)
    if not deployments:  # a workload of another kind is as ready as its pods are
        desired, ready = len(own), sum(_is_ready(pod) for pod in own)
    problems = [problem for item in objects for problem in _problems(item)]
    problems += [reason for pod in own for reason in _waiting(pod)]
    return Status(
        namespace,
        name,
        bool(objects),
        ready,
        desired,
        sum(_restarts(pod) for pod in own),
        tuple(_pod(pod) for pod in own),
        tuple(dict.fromkeys(problems)),
    )


def _is_selected(pod: Object, namespace: str, selector: Mapping[str, str]) -> bool:
    labels = pod["metadata"].get("labels") or {}
    return pod["metadata"].get("namespace") == namespace and selector.items() <= labels.items()


def _number(block: Mapping[str, Any] | None, name: str, default: int) -> int:
    value = (block or {}).get(name)
    return value if isinstance(value, int) else default


def _containers(pod: Object) -> list[Mapping[str, Any]]:
    return list((pod.get("status") or {}).get("containerStatuses") or ())


def _restarts(pod: Object) -> int:
    return sum(_number(container, "restartCount", 0) for container in _containers(pod))


def _is_ready(pod: Object) -> bool:
    found = _containers(pod)
    return bool(found) and all(container.get("ready") for container in found)


def _waiting(pod: Object) -> Iterator[str]:
    for container in _containers(pod):
        reason = ((container.get("state") or {}).get("waiting") or {}).get("reason")
        if reason and reason not in _STARTING:
            yield reason


def _pod(pod: Object) -> str:
    state = "ready" if _is_ready(pod) else (pod.get("status") or {}).get("phase", "Unknown")
    parts = [state, *_waiting(pod), f"{_restarts(pod)} restarts" if _restarts(pod) else ""]
    return f"{pod['metadata']['name']}: {', '.join(part for part in parts if part)}"


def _problems(item: Object) -> Iterator[str]:
    for condition in _conditions(item):
        kind, value = condition.get("type", ""), condition.get("status")
        reason = f": {condition['reason']}" if condition.get("reason") else ""
        if kind in _GOOD and value == "False":
            yield f"{item['kind']} not {kind}{reason}"
        elif kind in _BAD and value == "True":
            yield f"{item['kind']} {kind}{reason}"


def _conditions(item: Object) -> Iterator[Mapping[str, Any]]:
    """Of the object itself, and for a route of each Gateway it attaches to."""
    status = item.get("status") or {}
    for holder in (status, *(status.get("parents") or ())):
        yield from holder.get("conditions") or ()
