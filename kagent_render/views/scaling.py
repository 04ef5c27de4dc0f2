"""How a workload scales, in words: what a ScaledObject, an InterceptorRoute or a Knative Service says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Object = Mapping[str, Any]
_KNATIVE = "autoscaling.knative.dev/"


def scaled_object(spec: Object, routes: Iterable[Object] = ()) -> str:
    """`0 to 5 pods: 80% of the requested CPU; 1 pod from … to …`, with what holds when nothing is to do."""
    metrics = {route["metadata"]["name"]: route["spec"].get("scalingMetric") or {} for route in routes}
    triggers = [_trigger(trigger, metrics) for trigger in spec.get("triggers") or ()]
    count = _count(str(spec.get("minReplicaCount", 0)), str(spec.get("maxReplicaCount", 100)))
    idle = f", {spec['idleReplicaCount']} when idle" if "idleReplicaCount" in spec else ""
    return f"{count}{idle}: {'; '.join(triggers)}{_fallback(spec.get('fallback'))}"


def _count(least: str, most: str) -> str:
    if least == most:
        return "1 pod" if most == "1" else f"{most} pods"
    return f"{least} to {most} pods"


def _fallback(fallback: Object | None) -> str:
    if not fallback:
        return ""
    return f"; without an answer {fallback['replicas']} ({fallback.get('behavior', 'static')})"


def _trigger(trigger: Object, metrics: Mapping[str, Object]) -> str:
    metadata = trigger.get("metadata") or {}
    if trigger["type"] == "external-push" and metadata.get("interceptorRoute") in metrics:
        return _requests(metrics[metadata["interceptorRoute"]])
    words = _WORDS.get(trigger["type"])
    try:
        return words(metadata) if words else _plain(trigger["type"], metadata)
    except KeyError:  # written by another version, or by hand
        return _plain(trigger["type"], metadata)


def _plain(type: str, metadata: Object) -> str:
    return f"{type} ({', '.join(f'{key} {metadata[key]}' for key in sorted(metadata))})"


def _requests(metric: Object) -> str:
    parts = []
    if concurrency := metric.get("concurrency"):
        parts.append(f"1 for each {concurrency['targetValue']} open HTTP requests")
    if rate := metric.get("requestRate"):
        parts.append(f"1 for each {rate['targetValue']} HTTP requests a second over {rate.get('window', '1m0s')}")
    return " or ".join(parts) or "HTTP requests"


def _cron(metadata: Object) -> str:
    window = f"`{metadata['start']}` to `{metadata['end']}` ({metadata['timezone']})"
    return f"{metadata['desiredReplicas']} from {window}"


def _prometheus(metadata: Object) -> str:
    return f"1 for each {metadata['threshold']} of `{metadata['query']}` at {metadata['serverAddress']}"


def _redis(metadata: Object) -> str:
    stream = f"stream {metadata['stream']} for {metadata['consumerGroup']}"
    if count := metadata.get("pendingEntriesCount"):
        return f"1 for each {count} unacknowledged entries of Redis {stream} at {metadata['address']}"
    return f"1 for each {metadata['lagCount']} unread entries of Redis {stream} at {metadata['address']}"


def _nats(metadata: Object) -> str:
    stream = f"stream {metadata['stream']} for {metadata['consumer']}"
    endpoint = metadata["natsServerMonitoringEndpoint"]
    return f"1 for each {metadata['lagThreshold']} pending messages of NATS {stream} at {endpoint}"


def _postgresql(metadata: Object) -> str:
    return f"1 for each {metadata['targetQueryValue']} of `{metadata['query']}` in PostgreSQL"


_WORDS: dict[str, Callable[[Object], str]] = {
    "cpu": lambda metadata: f"{metadata['value']}% of the requested CPU",
    "memory": lambda metadata: f"{metadata['value']}% of the requested memory",
    "cron": _cron,
    "prometheus": _prometheus,
    "redis-streams": _redis,
    "nats-jetstream": _nats,
    "postgresql": _postgresql,
}


def knative_service(service: Object) -> str:
    """`0 to 5 pods by Knative: 1 for each 10 requests at once`, and what bounds a request."""
    template = service["spec"]["template"]
    annotations, spec = template["metadata"].get("annotations") or {}, template["spec"]
    value = {key.removeprefix(_KNATIVE): text for key, text in annotations.items() if key.startswith(_KNATIVE)}
    count = f"{_count(value.get('min-scale', '0'), value.get('max-scale', 'any number of'))} by Knative"
    target = f": 1 for each {value['target']} requests at once" if "target" in value else ""
    limit = f", {spec['containerConcurrency']} at most" if spec.get("containerConcurrency") else ""
    labels = service["metadata"].get("labels") or {}
    local = labels.get("networking.knative.dev/visibility") == "cluster-local"
    where = "inside the cluster only" if local else "from outside too"
    return f"{count}{target}{limit}; {spec.get('timeoutSeconds', 300)} s a request; {where}"
