"""A workload running amid everything it needs: secrets, a model and a cluster, all on the loopback of this machine."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.containers import Containers
from tests.e2e.manifests import HOST_LOOPBACK, JSON, Workload, playable
from tests.e2e.pod import Pod, free_port, played
from tests.edge.certificate import loopback_certificate
from tests.edge.kubernetes_api import KubernetesApi
from tests.edge.model_server import ModelServer, Script

FAILING = "checkout-5c9d7b6f4-x2x8q"


@dataclass(frozen=True)
class Credentials:
    """Values that must never show up anywhere but where they are meant for."""

    api_key: str = field(default_factory=lambda: f"sk-{secrets.token_hex(16)}")
    token: str = field(default_factory=lambda: secrets.token_hex(16))


@dataclass(frozen=True)
class Running:
    """A ready workload and the servers it talks to."""

    workload: Workload
    pod: Pod
    model: ModelServer
    cluster: KubernetesApi
    credentials: Credentials

    def wait_until_ready(self) -> None:
        """Wait for the readiness probe of the manifest; raises TimeoutError."""
        self.pod.wait_until_ready(self.workload.probe_path("readinessProbe"))


@contextmanager
def running(containers: Containers, image: str, workload: Workload, script: Script, folder: Path) -> Iterator[Running]:
    """Run `workload` with a model that follows `script` and a cluster that grants what its roles grant."""
    credentials = Credentials()
    certificate, key = loopback_certificate(folder, [HOST_LOOPBACK])
    with (
        _secrets(containers, workload, credentials.api_key),
        ModelServer(script, api_key=credentials.api_key) as model,
        KubernetesApi(
            [_failing_pod(workload.namespace)],
            token=credentials.token,
            roles=workload.roles,
            tls=(certificate, key),
        ) as cluster,
    ):
        port = free_port()
        files = {"token": credentials.token, "ca.crt": certificate.read_text("ascii")}
        objects = playable(
            workload,
            image=image,
            host_port=port,
            env=_environment(model, cluster),
            service_account={**files, "namespace": workload.namespace},
        )
        with played(containers, workload, objects, folder, port) as pod:
            started = Running(workload, pod, model, cluster, credentials)
            started.wait_until_ready()
            yield started


def _environment(model: ModelServer, cluster: KubernetesApi) -> dict[str, str]:
    """Return what the kubelet tells a container of the API server, and where this test's model is."""
    return {
        "KAGENT_MODEL_BASE_URL": f"http://{HOST_LOOPBACK}:{model.port}/v1",
        "KUBERNETES_SERVICE_HOST": HOST_LOOPBACK,
        "KUBERNETES_SERVICE_PORT": str(cluster.port),
    }


def _failing_pod(namespace: str) -> JSON:
    metadata = {"name": FAILING, "namespace": namespace, "uid": "1"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "status": {"phase": "CrashLoopBackOff"}}


@contextmanager
def _secrets(containers: Containers, workload: Workload, value: str) -> Iterator[None]:
    """Make every Secret the workload refers to, with `value` under each key."""
    encoded = base64.b64encode(value.encode()).decode()
    referenced = workload.secrets()
    for name, keys in referenced.items():
        containers.attempt("podman", "secret", "rm", name)
        # Podman 4 wants the data of a Kubernetes Secret as the content of its own.
        containers.run("podman", "secret", "create", name, "-", stdin=json.dumps(dict.fromkeys(keys, encoded)))
    try:
        yield
    finally:
        for name in referenced:
            containers.attempt("podman", "secret", "rm", name)
