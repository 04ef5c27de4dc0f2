"""The pod of a Deployment as Knative accepts it: what it takes elsewhere is moved, what it sets itself is left out.

Rules of its webhook: knative.dev/serving, pkg/apis/serving/k8s_validation.go and fieldmask.go, with default features.
What does not fit is no error here: `knative_rules` reports it, and then nothing is rendered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kagent_render.targets.objects import PORT

ACCEPTED = frozenset(
    {
        "serviceAccountName",
        "automountServiceAccountToken",
        "enableServiceLinks",
        "imagePullSecrets",
        "containers",
        "volumes",
    }
)
# Of a Deployment's defaults. Knative gives a pod as long to end as a request may take, and spreads nothing.
LEFT_OUT = frozenset({"securityContext", "terminationGracePeriodSeconds", "topologySpreadConstraints"})
CONTAINER_ACCEPTED = frozenset(
    {
        *("name", "image", "imagePullPolicy", "command", "args", "workingDir", "env", "envFrom", "ports", "resources"),
        *("securityContext", "startupProbe", "livenessProbe", "readinessProbe", "volumeMounts"),
        *("terminationMessagePath", "terminationMessagePolicy"),
    }
)
# Of a pod's securityContext; fsGroup is left out: without it the kubelet writes the token readable for all users.
MOVED = ("runAsNonRoot", "runAsUser", "runAsGroup", "seccompProfile")
# Defaults inside a list, which Argo CD would show as a difference; Kubernetes' own, and Knative's webhook adds them.
_PROBE_DEFAULTS = {"timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3}


def knative_pod(pod: Mapping[str, Any], namespace: str | None) -> dict[str, Any]:
    """The accepted fields of a pod, its containers changed to fit."""
    security = pod.get("securityContext", {})
    moved = {key: security[key] for key in MOVED if key in security}
    containers = [_container(container, moved, namespace) for container in pod["containers"]]
    return {key: pod[key] for key in ACCEPTED if key in pod} | {"containers": containers}


def _container(container: Mapping[str, Any], moved: dict[str, Any], namespace: str | None) -> dict[str, Any]:
    number = next((port["containerPort"] for port in container.get("ports", ())), PORT)
    changed: dict[str, Any] = {
        "env": list(_environment(container.get("env", []), namespace)),
        # The name says the protocol: http1 or h2c.
        "ports": [{"name": "http1", "containerPort": number, "protocol": "TCP"}],
        "securityContext": moved | container.get("securityContext", {}),
    }
    probes = {key: _probe(container[key], number) for key in container if key.endswith("Probe")}
    return {key: value for key, value in {**container, **changed, **probes}.items() if value != []}


def _environment(variables: list[dict[str, Any]], namespace: str | None) -> Iterator[dict[str, Any]]:
    for variable in variables:
        if variable["name"] != "POD_NAMESPACE":
            yield variable
        elif namespace is not None:  # without one, the runtime reads it beside its token
            yield {"name": variable["name"], "value": namespace}


def _probe(probe: Mapping[str, Any], port: int) -> dict[str, Any]:
    changed = {"httpGet": probe["httpGet"] | {"port": port}} if "httpGet" in probe else {}
    given = {**probe, **changed}
    return given | {key: value for key, value in _PROBE_DEFAULTS.items() if key not in given}
