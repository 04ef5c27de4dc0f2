"""Dapr: the annotations its injector reads, the token, and what the sidecar calls from within the pod's network."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kagent_render.catalog.base import Contribution, Endpoint, Variable
from kagent_render.lower.workload import Workload
from kagent_render.specs.dapr import Dapr

# Where its sidecar listens, besides the port of its metrics.
SIDECAR_PORTS = (3500, 50001, 50002)
TOKEN_KEY = "token"  # the key that Dapr's injector reads of the Secret
# The ports of the pods behind these Services (chart of v1.18).
_CONTROL_PLANE = {
    "dapr-api": 6500,
    "dapr-placement-server": 50005,
    "dapr-scheduler-server": 50006,
    "dapr-sentry": 50001,
}
_ADDRESS = re.compile(r"(?:[a-z]+://)?([a-z0-9](?:[-a-z0-9.]*[a-z0-9])?):([0-9]{1,5})\Z", re.IGNORECASE)


def contribute(workload: Workload) -> Contribution:
    """Annotations, variables and endpoints; nothing without `dapr`."""
    dapr = workload.platform.dapr
    if dapr is None:
        return Contribution()
    return Contribution(
        frozenset(_variables(dapr)),
        endpoints=frozenset(_endpoints(dapr)),
        pod_annotations=frozenset((f"dapr.io/{key}", value) for key, value in _annotations(workload, dapr).items()),
    )


def _annotations(workload: Workload, dapr: Dapr) -> dict[str, str]:
    """All of them strings, as annotations are."""
    fields = {
        "app-health-check-path": "/readyz",
        "app-id": workload.name,
        "app-port": "8080",
        "app-protocol": "https" if workload.platform.tls else "http",
        "app-token-secret": dapr.app_token_secret,
        "config": dapr.config,
        # While the agent drains it is not ready, and gets no events.
        "enable-app-health-check": "true",
        "enabled": "true",
        "graceful-shutdown-seconds": str(dapr.graceful_shutdown_seconds),
        "log-as-json": "true" if dapr.log_as_json else "false",
        "max-body-size": dapr.max_body_size,
        "metrics-port": str(dapr.metrics_port),
        "sidecar-cpu-limit": dapr.sidecar.limits.cpu,
        "sidecar-cpu-request": dapr.sidecar.requests.cpu,
        "sidecar-memory-limit": dapr.sidecar.limits.memory,
        "sidecar-memory-request": dapr.sidecar.requests.memory,
        # Pod Security `restricted` wants it of every container.
        "sidecar-seccomp-profile-type": "RuntimeDefault",
    }
    return {key: value for key, value in fields.items() if value is not None}


def _variables(dapr: Dapr) -> Iterator[Variable]:
    if dapr.pubsub:
        yield Variable("KAGENT_DAPR_EVENTS", "true")
    if dapr.app_token_secret:
        yield Variable("APP_API_TOKEN", secret=dapr.app_token_secret, key=TOKEN_KEY)


def _endpoints(dapr: Dapr) -> Iterator[Endpoint]:
    for service, port in _CONTROL_PLANE.items():
        yield Endpoint(f"{service}.{dapr.control_plane_namespace}.svc", port, "grpc")
    for component in dapr.components:
        for field in component.metadata:
            for part in (field.value or "").split(","):
                # Brokers and stores are named as host:port; one that only a Secret names cannot be opened for.
                if match := _ADDRESS.match(part.strip()):
                    yield Endpoint(_service(match[1].lower()), int(match[2]), "tcp")


def _service(host: str) -> str:
    """The Service of a host; a pod of a StatefulSet has a name of its own before it."""
    labels = host.removesuffix(".cluster.local").split(".")
    return ".".join(labels[-3:]) if labels[-1] == "svc" else host
