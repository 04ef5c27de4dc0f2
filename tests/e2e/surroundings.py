"""A workload running amid everything it needs: secrets, a model and a cluster, all on the loopback of this machine."""

from __future__ import annotations

import base64
import json
import secrets
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.containers import Containers
from tests.e2e.manifests import HOST_LOOPBACK, JSON, Workload, playable
from tests.e2e.pod import Pod, free_port, played
from tests.edge.certificate import loopback_certificate
from tests.edge.kubernetes_api import KubernetesApi
from tests.edge.kubernetes_writes import WritableApi
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
    cluster: WritableApi
    credentials: Credentials

    def wait_until_ready(self) -> None:
        """Wait for the readiness probe of the manifest; raises TimeoutError."""
        self.pod.wait_until_ready(self.workload.probe_path("readinessProbe"))


@dataclass(frozen=True)
class Surroundings:
    """What a workload needs, while pods of it come and go."""

    containers: Containers
    workload: Workload
    model: ModelServer
    cluster: WritableApi
    credentials: Credentials
    service_account: dict[str, str]

    @contextmanager
    def started(self, image: str, folder: Path) -> Iterator[Running]:
        """A pod that is ready."""
        port = free_port()
        objects = playable(
            self.workload,
            image=image,
            host_port=port,
            env=_environment(self.model, self.cluster),
            service_account=self.service_account,
        )
        with played(self.containers, self.workload, objects, folder, port) as pod:
            started = Running(self.workload, pod, self.model, self.cluster, self.credentials)
            started.wait_until_ready()
            yield started


@contextmanager
def running(containers: Containers, image: str, workload: Workload, script: Script, folder: Path) -> Iterator[Running]:
    """Run `workload` with a model that follows `script` and a cluster that grants what its roles grant."""
    with surrounded(containers, workload, script, folder) as surroundings, surroundings.started(image, folder) as pod:
        yield pod


@contextmanager
def surrounded(
    containers: Containers, workload: Workload, script: Script, folder: Path, secrets: Mapping[str, str] | None = None
) -> Iterator[Surroundings]:
    """A model, a cluster and Secrets. `secrets`: values by name; any other Secret holds the model's key."""
    credentials = Credentials()
    certificate, key = loopback_certificate(folder, [HOST_LOOPBACK])
    with (
        _secrets(containers, workload, defaultdict(lambda: credentials.api_key, secrets or {})),
        ModelServer(script, api_key=credentials.api_key) as model,
        WritableApi(
            [_failing_pod(workload.namespace)],
            token=credentials.token,
            roles=workload.roles,
            tls=(certificate, key),
        ) as cluster,
    ):
        files = {"token": credentials.token, "ca.crt": certificate.read_text("ascii")}
        account = {**files, "namespace": workload.namespace}
        yield Surroundings(containers, workload, model, cluster, credentials, account)


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
def _secrets(containers: Containers, workload: Workload, values: Mapping[str, str]) -> Iterator[None]:
    """Make every Secret the workload refers to, with its value under each key."""
    referenced = workload.secrets()
    for name, keys in referenced.items():
        encoded = base64.b64encode(values[name].encode()).decode()
        containers.attempt("podman", "secret", "rm", name)
        # Podman 4 wants the data of a Kubernetes Secret as the content of its own.
        containers.run("podman", "secret", "create", name, "-", stdin=json.dumps(dict.fromkeys(keys, encoded)))
    try:
        yield
    finally:
        for name in referenced:
            containers.attempt("podman", "secret", "rm", name)
