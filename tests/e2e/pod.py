"""A workload running under podman, and how to talk to it."""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.containers import Containers
from tests.e2e.manifests import JSON, Workload

# slirp4netns shows the host's loopback to the pod without a change to the manifest;
# outbound_addr keeps everything else on this machine.
NETWORK = "slirp4netns:allow_host_loopback=true,outbound_addr=127.0.0.1"


@dataclass(frozen=True)
class Pod:
    """One running pod."""

    containers: Containers
    container: str
    origin: str

    def exec(self, *command: str) -> tuple[int, str]:
        """Run a command in the container; return its exit code and output."""
        done = self.containers.attempt("podman", "exec", self.container, *command)
        return done.returncode, done.stdout + done.stderr

    def logs(self) -> str:
        """Return what the container wrote."""
        done = self.containers.attempt("podman", "logs", self.container)
        return done.stdout + done.stderr

    def inspect(self) -> JSON:
        """Return podman's description of the container."""
        described: JSON = json.loads(self.containers.run("podman", "inspect", self.container))[0]
        return described

    def crash(self) -> None:
        """Kill the process, and start the container again in the same pod, as the kubelet does."""
        self.containers.run("podman", "kill", "--signal", "KILL", self.container)
        self.containers.attempt("podman", "wait", self.container)
        # Podman 4 stops a pod with its last container; its volumes stay.
        self.containers.run("podman", "pod", "start", self.container.rpartition("-")[0])

    def stop(self, grace: int) -> float:
        """Send SIGTERM as the kubelet does, SIGKILL after `grace`; return the seconds it took."""
        started = time.monotonic()
        self.containers.run("podman", "stop", "--time", str(grace), self.container)
        return time.monotonic() - started

    def get(self, path: str) -> Any:
        """Return the JSON answer to a GET; raises HTTPError."""
        request = urllib.request.Request(self.origin + path, headers={"Accept": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def post(self, path: str, body: JSON) -> Any:
        """Return the JSON answer to a POST; raises HTTPError."""
        with urllib.request.urlopen(self._request(path, body), timeout=10) as answer:
            return json.load(answer)

    def chat(self, session: str, content: str) -> Iterator[JSON]:
        """Send a message and yield the run's events as they arrive."""
        request = self._request(f"/api/v1/sessions/{session}/messages", {"content": content})
        request.add_header("Accept", "text/event-stream")
        with urllib.request.urlopen(request, timeout=60) as answer:
            for line in answer:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name == "data":
                    yield json.loads(value)

    def ask(self, content: str) -> list[JSON]:
        """Send a message in a new session and return the events of the run."""
        return list(self.chat(self.post("/api/v1/sessions", {})["id"], content))

    def status(self, path: str) -> int:
        """Return the status of a GET, 0 while nothing listens."""
        try:
            with urllib.request.urlopen(self.origin + path, timeout=2) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return 0

    def wait_until_ready(self, path: str, timeout: float = 60) -> None:
        """Ask the readiness path until it says 200; raises TimeoutError with the log."""
        try:
            wait_for(lambda: self.status(path) == 200, timeout)
        except TimeoutError as error:
            raise TimeoutError(f"not ready after {timeout} s:\n{self.logs()}") from error

    def _request(self, path: str, body: JSON) -> urllib.request.Request:
        headers = {"Content-Type": "application/json"}
        return urllib.request.Request(self.origin + path, json.dumps(body).encode(), headers)


def wait_for(condition: Callable[[], bool], timeout: float) -> None:
    """Return when `condition` holds; raises TimeoutError."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.05)


def free_port() -> int:
    """Return a port nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def played(containers: Containers, workload: Workload, objects: list[JSON], folder: Path, port: int) -> Iterator[Pod]:
    """Run `objects` by `podman kube play`, and remove all of it afterwards."""
    file = folder / "play.yaml"
    file.write_text(yaml.safe_dump_all(objects, sort_keys=False), encoding="utf-8")
    containers.attempt("podman", "kube", "down", str(file))  # what a killed run left behind
    try:
        containers.run("podman", "kube", "play", "--network", NETWORK, str(file))
        names = containers.run("podman", "ps", "--all", "--format", "{{.Names}}").split()
        # Podman calls it <deployment>-pod-<n>-<container>, in some versions without the number.
        own = [name for name in names if name.startswith(f"{workload.name}-pod-")]
        (container,) = [name for name in own if name.endswith("-agent")]
        yield Pod(containers, container, f"http://127.0.0.1:{port}")
    finally:
        containers.attempt("podman", "kube", "down", str(file))
        containers.attempt("podman", "volume", "prune", "--force")


def of_type(events: list[JSON], kind: str) -> list[JSON]:
    """Return the events of one type."""
    return [event for event in events if event["type"] == kind]
