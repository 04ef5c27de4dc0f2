"""Rendered manifests, and the few things `podman kube play` needs changed in them."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

JSON = dict[str, Any]

EXAMPLES = Path(__file__).parents[2] / "examples"
POD_NAMESPACE = "default"
HOST_LOOPBACK = "10.0.2.2"
"""The host's 127.0.0.1 as slirp4netns shows it to the pod (allow_host_loopback)."""


@dataclass(frozen=True)
class Workload:
    """One rendered workload: its Deployment and the objects beside it."""

    deployment: JSON
    config_maps: Sequence[JSON]
    roles: Sequence[JSON]

    @property
    def name(self) -> str:
        """The Deployment's name."""
        return str(self.deployment["metadata"]["name"])

    @property
    def pod_spec(self) -> JSON:
        """The pod template's spec."""
        spec: JSON = self.deployment["spec"]["template"]["spec"]
        return spec

    @property
    def container(self) -> JSON:
        """The container that runs the agent."""
        container: JSON = self.pod_spec["containers"][0]
        return container

    @property
    def containers(self) -> Sequence[JSON]:
        """All of the pod: the sidecars of its tools, and the agent."""
        return [*self.pod_spec.get("initContainers", []), *self.pod_spec["containers"]]

    @property
    def runtime_config(self) -> JSON:
        """The RuntimeConfig the pod is given."""
        texts = [text for each in self.config_maps for key, text in each["data"].items() if key == "runtime.json"]
        config: JSON = json.loads(texts[0])
        return config

    @property
    def namespace(self) -> str:
        """The namespace the pod believes to be in."""
        return str(self.deployment["metadata"].get("namespace", POD_NAMESPACE))

    def probe_path(self, probe: str) -> str:
        """Return the path the kubelet would ask; raises ValueError when it would ask another port than http."""
        request = self.container[probe]["httpGet"]
        if request["port"] not in ("http", 8080):
            raise ValueError(f"{probe} asks port {request['port']}")
        return str(request["path"])

    def secrets(self) -> dict[str, list[str]]:
        """Return the names and keys of the Secrets that the containers' environments refer to."""
        found: dict[str, list[str]] = {}
        for variable in (each for container in self.containers for each in container.get("env", [])):
            reference = variable.get("valueFrom", {}).get("secretKeyRef")
            if reference:
                found.setdefault(reference["name"], []).append(reference["key"])
        return found


def load_example(name: str) -> Workload:
    """Read the committed output of an example, which holds one workload."""
    return load_rendered(EXAMPLES / name / "rendered" / "default")


def load_rendered(folder: Path) -> Workload:
    """Read what was rendered into a folder: one workload."""
    objects = [item for path in sorted(folder.rglob("*.yaml")) for item in yaml.safe_load_all(path.read_text("utf-8"))]
    of_kind = {kind: [item for item in objects if item["kind"] == kind] for kind in {o["kind"] for o in objects}}
    (deployment,) = of_kind["Deployment"]
    roles = of_kind.get("Role", []) + of_kind.get("ClusterRole", [])
    return Workload(deployment, of_kind["ConfigMap"], roles)


def playable(
    workload: Workload, *, image: str, host_port: int, env: dict[str, str], service_account: dict[str, str]
) -> list[JSON]:
    """Return what `podman kube play` gets: the rendered objects with the differences below, and no others."""
    deployment = copy.deepcopy(workload.deployment)
    template: JSON = deployment["spec"]["template"]["spec"]
    container: JSON = template["containers"][0]
    template["containers"] += _plain_sidecars(template.pop("initContainers", []))
    for each in template["containers"]:
        each["image"] = image
        each["imagePullPolicy"] = "Never"  # It is in the local storage; there is no registry.
    _publish(container, host_port)
    _drop_probes(container)
    _state_namespace(container, workload.namespace)
    # What the kubelet or the test's surroundings add: the API server's address, the model's address.
    container["env"] = [*container.get("env", []), *({"name": k, "value": v} for k, v in env.items())]
    token_map = _replace_projected_volumes(template, service_account)
    return [*workload.config_maps, *token_map, deployment]


def _plain_sidecars(containers: list[JSON]) -> list[JSON]:
    """Podman 4 knows no init container that stays, and would wait for its end; and it would publish its port."""
    for container in containers:
        assert container.pop("restartPolicy") == "Always"
        del container["ports"]
        _drop_probes(container)
    return containers


def _publish(container: JSON, host_port: int) -> None:
    """Podman publishes every containerPort on all addresses; a hostPort of ours keeps it on loopback."""
    for port in container["ports"]:
        if port["name"] == "http":
            port.update(hostPort=host_port, hostIP="127.0.0.1")


def _drop_probes(container: JSON) -> None:
    """Podman 4 turns a probe of a named port into `curl localhost:0` inside the container.

    Where systemd runs its timers that would kill a healthy container; the tests ask the probes' URLs.
    """
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        container.pop(probe, None)


def _state_namespace(container: JSON, namespace: str) -> None:
    """Podman 4 refuses `fieldPath: metadata.namespace`; the kubelet would put this value there."""
    for variable in container.get("env", []):
        if variable.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath") == "metadata.namespace":
            del variable["valueFrom"]
            variable["value"] = namespace


def _replace_projected_volumes(template: JSON, files: dict[str, str]) -> list[JSON]:
    """Podman 4 knows no projected volume: a ConfigMap of the same files stands in for the token's."""
    maps = []
    for volume in template.get("volumes", []):
        if volume.pop("projected", None) is not None:
            name = f"projected-{volume['name']}"
            volume["configMap"] = {"name": name}
            maps.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": files})
    return maps
