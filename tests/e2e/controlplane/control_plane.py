"""etcd, kube-apiserver, kube-controller-manager and, if wanted, nodes, on the loopback interface.

The flags are envtest's (controller-runtime, pkg/internal/testing) with two differences: a token in place of client
certificates, and admission of ServiceAccounts, which the controller manager makes here as in a real cluster.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from tests.e2e.controlplane.binaries import find_all
from tests.e2e.controlplane.client import JSON, ApiError, Client
from tests.e2e.controlplane.process import Process, started
from tests.e2e.pod import free_port, wait_for
from tests.edge.certificate import loopback_certificate

SERVERS = ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl")
NODES = ("kube-scheduler", "kwok")
_CLIENTS = ("openssl",)
_STAGES = Path(__file__).parent / "kwok" / "stages.yaml"
_LOGS = """\
apiVersion: kwok.x-k8s.io/v1alpha1
kind: ClusterLogs
metadata: {{name: pods}}
spec: {{logs: [{{logsFile: {path}}}]}}
"""
# A command in a container of any pod is run here, in an empty folder: which ones is up to the test.
_COMMANDS = """\
apiVersion: kwok.x-k8s.io/v1alpha1
kind: ClusterExec
metadata: {{name: pods}}
spec: {{execs: [{{local: {{workDir: {path}}}}}]}}
"""


def missing_requirement(*, with_nodes: bool = False) -> str | None:
    """Return why no control plane can be started here, or None."""
    absent = find_all(SERVERS + (NODES if with_nodes else ()))[1]
    absent += [name for name in _CLIENTS if shutil.which(name) is None]
    if not absent:
        return None
    return f"not there: {', '.join(absent)} (python -m tests.e2e.controlplane.build; etcd is Debian's etcd-server)"


@dataclass(frozen=True)
class _Files:
    """What the programs share."""

    folder: Path

    @property
    def certificate(self) -> Path:
        return self.folder / "tls.crt"

    @property
    def key(self) -> Path:
        return self.folder / "tls.key"

    @property
    def signer(self) -> Path:
        return self.folder / "service-account.key"

    @property
    def tokens(self) -> Path:
        return self.folder / "tokens.csv"

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    @property
    def pod_logs(self) -> Path:
        return self.folder / "pods.log"

    @property
    def logs_config(self) -> Path:
        return self.folder / "logs.yaml"

    @property
    def commands(self) -> Path:
        return self.folder / "commands"

    @property
    def commands_config(self) -> Path:
        return self.folder / "commands.yaml"

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def write(self, token: str) -> None:
        """Everything that is there before the first program starts."""
        loopback_certificate(self.folder)
        command = ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
        subprocess.run([*command, "-out", str(self.signer)], check=True, capture_output=True)
        self.tokens.write_text(f'{token},admin,1,"system:masters"\n', encoding="utf-8")


class ControlPlane:
    """A running control plane; raises StartError or TimeoutError when it does not start.

    `seconds` bounds the start of each program. Everything it keeps is in a temporary folder and goes with it.
    """

    def __init__(self, *, with_nodes: bool = False) -> None:
        self._with_nodes = with_nodes
        self._seconds = float(os.environ.get("KUBEBUILDER_CONTROLPLANE_START_TIMEOUT", "60"))
        self._token = secrets.token_hex(16)
        self._exits = ExitStack()
        self._processes: list[Process] = []
        self.origin = ""

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            self._files = _Files(Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="controlplane-"))))
            self.programs, absent = find_all(SERVERS + (NODES if self._with_nodes else ()))
            if absent:
                raise FileNotFoundError(", ".join(absent))
            self._files.write(self._token)
            self._start(undo)
            self._exits = undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exits.close()

    @property
    def certificate(self) -> Path:
        """The certificate by which the server is verified."""
        return self._files.certificate

    @property
    def pod_logs(self) -> Path:
        """What every pod on a node has written, for a test to fill."""
        return self._files.pod_logs

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self._files.kubeconfig

    def as_account(self, namespace: str, name: str) -> Client:
        """A client with a token of a ServiceAccount, as its pod would have one."""
        return Client(self.origin, self.certificate, self.token(namespace, name))

    def token(self, namespace: str, name: str) -> str:
        """A token of a ServiceAccount for the server's own audience."""
        account: JSON = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": name, "namespace": namespace},
        }
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        answer = self.client.request("POST", self.client.path(account, subresource="token"), request)
        return str(answer["status"]["token"])

    def write_kubeconfig(self, path: Path, token: str) -> None:
        """Write a kubeconfig for whoever has the token."""
        cluster = {"server": self.origin, "certificate-authority": str(self.certificate)}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "user", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "user"}}],
            "current-context": "test",
        }
        path.write_text(json.dumps(content), encoding="utf-8")

    def make_namespace(self, name: str, labels: Mapping[str, str] | None = None) -> None:
        """Make a namespace, and wait for the ServiceAccount without which it admits no pod."""
        metadata = {"name": name, "labels": dict(labels or {})}
        self.client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        self.wait_until(lambda: self._has(_account(name, "default")))

    def install(self, crds: Sequence[JSON]) -> None:
        """Install CustomResourceDefinitions and wait until their kinds are served."""
        for crd in crds:
            self.client.apply(crd, manager="platform")
        self.wait_until(lambda: all(_is_established(self.client.get(crd)) for crd in crds))

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Return when the condition holds; raises StartError when a controller has ended, else TimeoutError."""

        def is_met() -> bool:
            for process in self._processes:
                process.check()
            return condition()

        wait_for(is_met, self._seconds)

    def _has(self, item: JSON) -> bool:
        try:
            self.client.get(item)
        except ApiError:
            return False
        return True

    def _start(self, undo: ExitStack) -> None:
        etcd = self._start_etcd(undo)
        self._start_apiserver(undo, etcd)
        self.write_kubeconfig(self._files.kubeconfig, self._token)
        self._start_controllers(undo)
        self.make_namespace("default")
        if self._with_nodes:
            self._start_nodes(undo)

    def _start_etcd(self, undo: ExitStack) -> str:
        program = self.programs["etcd"]
        known = subprocess.run([program, "--help"], capture_output=True, text=True, check=False).stdout
        # The data is thrown away: nothing has to reach the disk. Debian 12's etcd 3.4 does not know the flag yet.
        unsafe = ["--unsafe-no-fsync"] if "unsafe-no-fsync" in known else []

        def command(port: int) -> list[str | Path]:
            peer, origin = f"http://127.0.0.1:{free_port()}", _plain(port)
            data = Path(tempfile.mkdtemp(prefix="etcd-", dir=self._files.folder))
            peers = [f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}"]
            clients = [f"--listen-client-urls={origin}", f"--advertise-client-urls={origin}"]
            return [program, f"--data-dir={data}", *peers, f"--initial-cluster=default={peer}", *clients, *unsafe]

        process, port = started(command, self._files.log("etcd"), _is_etcd_ready, self._seconds)
        undo.callback(process.stop)
        return _plain(port)

    def _start_apiserver(self, undo: ExitStack, etcd: str) -> None:
        files, program = self._files, self.programs["kube-apiserver"]

        def command(port: int) -> list[str | Path]:
            return [
                program,
                f"--etcd-servers={etcd}",
                "--bind-address=127.0.0.1",
                f"--secure-port={port}",
                f"--tls-cert-file={files.certificate}",
                f"--tls-private-key-file={files.key}",
                f"--cert-dir={files.folder}",
                f"--token-auth-file={files.tokens}",
                "--authorization-mode=RBAC",
                "--allow-privileged=true",
                # etcd 3.4 lacks what it needs, so that those who try it (kwok) only lose time.
                "--feature-gates=WatchList=false",
                "--service-cluster-ip-range=10.0.0.0/16",
                f"--service-account-issuer=https://127.0.0.1:{port}/",
                f"--service-account-key-file={files.signer}",
                f"--service-account-signing-key-file={files.signer}",
            ]

        def is_ready(port: int) -> bool:
            with Client(_secure(port), files.certificate, self._token) as client:
                return client.is_ready()

        process, port = started(command, files.log("kube-apiserver"), is_ready, self._seconds)
        undo.callback(process.stop)
        self.origin = _secure(port)
        self.client = undo.enter_context(Client(self.origin, files.certificate, self._token))

    def _start_controllers(self, undo: ExitStack) -> None:
        files = self._files
        command: list[str | Path] = [
            self.programs["kube-controller-manager"],
            f"--kubeconfig={files.kubeconfig}",
            f"--service-account-private-key-file={files.signer}",
            f"--root-ca-file={files.certificate}",
            "--leader-elect=false",
            "--secure-port=0",
        ]
        self._run(undo, "kube-controller-manager", command)

    def _start_nodes(self, undo: ExitStack) -> None:
        kubeconfig = f"--kubeconfig={self._files.kubeconfig}"
        scheduler = self.programs["kube-scheduler"]
        self._run(undo, "kube-scheduler", [scheduler, kubeconfig, "--leader-elect=false", "--secure-port=0"])
        files, port = self._files, free_port()
        files.pod_logs.touch()
        files.logs_config.write_text(_LOGS.format(path=files.pod_logs), encoding="utf-8")
        files.commands.mkdir()
        files.commands_config.write_text(_COMMANDS.format(path=files.commands), encoding="utf-8")
        flags = [
            "--manage-all-nodes=true",
            # The lease is a node's heartbeat: without it the controllers take the node for lost after a while.
            "--node-lease-duration-seconds=40",
            f"--config={_STAGES}",
            f"--config={files.logs_config}",
            f"--config={files.commands_config}",
            # Where the API server asks for logs, and has commands run.
            "--node-ip=127.0.0.1",
            f"--node-port={port}",
            f"--server-address=127.0.0.1:{port}",
            f"--tls-cert-file={files.certificate}",
            f"--tls-private-key-file={files.key}",
        ]
        self._run(undo, "kwok", [self.programs["kwok"], kubeconfig, *flags])

    def _run(self, undo: ExitStack, name: str, command: list[str | Path]) -> None:
        process = Process(command, self._files.log(name))
        undo.callback(process.stop)
        self._processes.append(process)


def _account(namespace: str, name: str) -> JSON:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}


def _plain(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _secure(port: int) -> str:
    return f"https://127.0.0.1:{port}"


def _is_etcd_ready(port: int) -> bool:
    try:
        return bool(httpx.get(f"{_plain(port)}/health", timeout=2, trust_env=False).json()["health"] == "true")
    except (httpx.HTTPError, OSError, ValueError, KeyError):
        return False


def _is_established(crd: JSON) -> bool:
    conditions = crd.get("status", {}).get("conditions") or ()
    return any(item["type"] == "Established" and item["status"] == "True" for item in conditions)
