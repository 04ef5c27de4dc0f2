"""Argo CD on the loopback interface: plugin server, repo server, application controller and Redis.

Its own programs, with the objects of its own release (`core-install.yaml`) in a real cluster. Only the metrics of the
controller are served on every interface, for it has no flag for that.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import yaml

from tests.e2e.controlplane.argocd_plugin import PluginServer
from tests.e2e.controlplane.binaries import find_all
from tests.e2e.controlplane.client import JSON
from tests.e2e.controlplane.control_plane import ControlPlane
from tests.e2e.controlplane.git_server import listens
from tests.e2e.controlplane.process import Process, started
from tests.e2e.pod import free_port

NAMESPACE = "argocd"
PROGRAMS = ("argocd-cmp-server", "argocd-servers", "argocd-install.yaml")
_OTHERS = ("git", "redis-server")
_CONTROLLER = "argocd-application-controller"
_COMMITTER = "argocd-commit-server"
# Without kubelets its own pods would only be in the way.
_INSTALLED = ("ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "ConfigMap", "Secret")
_CRDS = ("applications.argoproj.io", "appprojects.argoproj.io")
# Argo CD's API server makes it when it first starts.
_PROJECT = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "AppProject",
    "metadata": {"name": "default", "namespace": NAMESPACE},
    "spec": {
        "sourceRepos": ["*"],
        "destinations": [{"namespace": "*", "server": "*"}],
        "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
    },
}


def missing_requirement() -> str | None:
    """Return why Argo CD cannot be started here, or None."""
    absent = [*find_all(PROGRAMS)[1], *(name for name in _OTHERS if shutil.which(name) is None)]
    if not absent:
        return None
    return f"not there: {', '.join(absent)} (python -m tests.e2e.controlplane.build; git and redis-server are Debian's)"


class ArgoCD:
    """A running Argo CD, a context manager; raises StartError or TimeoutError when it does not start."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            # The path of a socket has 107 characters at most: too few for a folder of pytest's.
            self._folder = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="argocd-")))
            self._programs, absent = find_all(PROGRAMS)
            if absent:
                raise FileNotFoundError(", ".join(absent))
            self._install()
            self._start(undo)
            self._exits = undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exits.close()

    @property
    def plugin_runs(self) -> int:
        """How often the plugin has printed manifests."""
        return self._plugin.runs

    def tail(self) -> str:
        """The end of what each server wrote."""
        logs = sorted(self._folder.glob("*.log"))
        return "\n".join(f"{log.stem}:\n{log.read_text(encoding='utf-8', errors='replace')[-3000:]}" for log in logs)

    @contextmanager
    def committing(self) -> Iterator[None]:
        """With the commit server, which the source hydrator has push, at the address that the controller was given.

        It keeps a socket and a clone in /tmp, and cannot be told otherwise.
        """
        place = ["--address=127.0.0.1", f"--port={self._commit_port}"]
        metrics = ["--metrics-address=127.0.0.1", f"--metrics-port={free_port()}"]
        process = Process([self._servers, *place, *metrics], self._log(_COMMITTER), self._environment(_COMMITTER))
        try:
            process.wait_until(lambda: listens(self._commit_port), 30)
            yield
        finally:
            process.stop()

    def _install(self) -> None:
        text = self._programs["argocd-install.yaml"].read_text(encoding="utf-8")
        items: list[JSON] = list(yaml.load_all(text, yaml.CSafeLoader))
        self.plane.install([item for item in items if item["metadata"]["name"] in _CRDS])
        self.plane.make_namespace(NAMESPACE)
        for item in items:
            if item["kind"] in _INSTALLED:
                self.plane.client.apply(item, NAMESPACE, manager="platform")
        self.plane.client.apply(_PROJECT, manager="platform")
        self.plane.write_kubeconfig(self._folder / "kubeconfig", self.plane.token(NAMESPACE, _CONTROLLER))

    def _start(self, undo: ExitStack) -> None:
        self._plugin = PluginServer(self._programs["argocd-cmp-server"], self._folder, self._folder / "plugins")
        undo.callback(self._plugin.stop)
        self._commit_port = free_port()

        def redis(port: int) -> list[str | Path]:
            memory: list[str | Path] = ["--save", "", "--appendonly", "no", "--dir", self._folder]
            return ["redis-server", "--bind", "127.0.0.1", "--port", str(port), *memory]

        cache = f"--redis=127.0.0.1:{self._serve(undo, 'redis', redis)}"

        def repo_server(port: int) -> list[str | Path]:
            place = ["--address=127.0.0.1", f"--port={port}"]
            metrics = ["--metrics-address=127.0.0.1", f"--metrics-port={free_port()}"]
            # As the README advises for a monorepo.
            plugin = ["--plugin-tar-exclude=.git/*", "--plugin-use-manifest-generate-paths"]
            return [self._servers, *place, *metrics, cache, *plugin]

        servers = [
            f"--repo-server=127.0.0.1:{self._serve(undo, 'argocd-repo-server', repo_server)}",
            f"--commit-server=127.0.0.1:{self._commit_port}",
        ]

        def controller(port: int) -> list[str | Path]:
            flags = [f"--namespace={NAMESPACE}", f"--metrics-port={port}", "--hydrator-enabled"]
            # What is Healthy is in the Application then, and not in Redis alone.
            return [self._servers, *flags, "--persist-resource-health", cache, *servers]

        self._serve(undo, _CONTROLLER, controller)

    def _serve(self, undo: ExitStack, name: str, command: Callable[[int], list[str | Path]]) -> int:
        process, port = started(command, self._log(name), listens, 60, self._environment(name))
        undo.callback(process.stop)
        return port

    @property
    def _servers(self) -> Path:
        return self._programs["argocd-servers"]

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _environment(self, name: str) -> Mapping[str, str]:
        """By which the program is one of the servers, with its files in our folder and no settings of the machine's."""
        places = {"TMPDIR": "tmp", "HOME": "home", "ARGOCD_TLS_DATA_PATH": "tls", "ARGOCD_SSH_DATA_PATH": "ssh"}
        folders = {variable: self._folder / place for variable, place in places.items()}
        for folder in folders.values():
            folder.mkdir(exist_ok=True)
        return {
            **{variable: str(folder) for variable, folder in folders.items()},
            "PATH": os.environ["PATH"],
            "ARGOCD_BINARY_NAME": name,
            "ARGOCD_FAKE_IN_CLUSTER": "true",  # which means: by KUBECONFIG
            "KUBECONFIG": str(self._folder / "kubeconfig"),
            "ARGOCD_GPG_ENABLED": "false",
            "ARGOCD_PLUGINSOCKFILEPATH": str(self._folder / "plugins"),
            "ARGOCD_ASK_PASS_SOCK": str(self._folder / "ask-pass.sock"),
        }
