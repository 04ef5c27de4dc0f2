"""The pod of a Deployment as Knative accepts it: what it takes elsewhere is moved, what it sets itself is left out.

Rules of its webhook: knative.dev/serving, pkg/apis/serving/k8s_validation.go and fieldmask.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

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
# Of a pod's securityContext; fsGroup is not accepted. Without it the kubelet writes the token readable for all users.
_MOVED = ("runAsNonRoot", "runAsUser", "runAsGroup", "seccompProfile")
# Defaults inside a list, which Argo CD would show as a difference; Kubernetes' own, and Knative's webhook adds them.
_PROBE_DEFAULTS = {"timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3}


def knative_pod(pod: Mapping[str, Any], namespace: str | None) -> dict[str, Any]:
    """The accepted fields of a pod, its single container changed to fit."""
    moved = {key: pod["securityContext"][key] for key in _MOVED if key in pod["securityContext"]}
    (container,) = pod["containers"]
    return {key: pod[key] for key in ACCEPTED if key in pod} | {"containers": [_container(container, moved, namespace)]}


def _container(container: Mapping[str, Any], moved: dict[str, Any], namespace: str | None) -> dict[str, Any]:
    (port,) = container["ports"]
    number = port["containerPort"]
    changed: dict[str, Any] = {
        "env": list(_environment(container["env"], namespace)),
        # The name says the protocol: http1 or h2c.
        "ports": [{"name": "http1", "containerPort": number, "protocol": "TCP"}],
        "securityContext": container["securityContext"] | moved,
    }
    probes = {key: _probe(container[key], number) for key in container if key.endswith("Probe")}
    return {key: value for key, value in {**container, **changed, **probes}.items() if value != []}


def _environment(variables: list[dict[str, Any]], namespace: str | None) -> Iterator[dict[str, Any]]:
    for variable in variables:
        if "fieldRef" not in variable.get("valueFrom", {}):
            yield variable
        elif namespace is not None:  # without one, the runtime reads it beside its token
            yield {"name": variable["name"], "value": namespace}


def _probe(probe: Mapping[str, Any], port: int) -> dict[str, Any]:
    given = {**probe, "httpGet": probe["httpGet"] | {"port": port}}
    return given | {key: value for key, value in _PROBE_DEFAULTS.items() if key not in given}
