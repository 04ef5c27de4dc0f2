"""Rendered objects in a real API server: the namespaces they go to are restricted, as the README advises."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.controlplane.client import ApiError, Client
from tests.e2e.controlplane.control_plane import ControlPlane
from tests.e2e.tally import Tally

JSON = dict[str, Any]
NODE: JSON = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "kwok-1", "labels": {"kubernetes.io/hostname": "kwok-1", "kubernetes.io/os": "linux"}},
}
DESTINATION = "destination"
"""Where objects go that name no namespace: Argo CD and Flux call it so."""

_CRDS = Path(__file__).parents[1] / "contract" / "crds"
_RESTRICTED = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}
_BY_SERVER = {"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"}
_REVISION_NUMBER = "deployment.kubernetes.io/revision"
# What a Revision of Knative says beside what a pod does.
_REVISION = {"containerConcurrency", "timeoutSeconds", "responseStartTimeoutSeconds", "idleTimeoutSeconds"}
# Last, so that a pod finds what it mounts.
_LAST = ("Deployment", "Service", "ScaledObject")


@dataclass(frozen=True)
class Manifest:
    """A committed file with one object: as it was written, and as Python reads it."""

    path: Path
    text: str
    item: JSON

    @property
    def name(self) -> str:
        """For messages."""
        return f"{self.item['kind']} {self.item['metadata']['name']} ({self.path.name})"


def manifests(folder: Path) -> list[Manifest]:
    """The objects of a rendered folder, in an order in which they can be applied."""
    found = []
    for path in sorted(folder.rglob("*.yaml")):
        if path.name == "kustomization.yaml":
            continue
        text = path.read_text(encoding="utf-8")
        (item,) = yaml.safe_load_all(text)
        found.append(Manifest(path, text, item))
    return sorted(found, key=lambda one: _LAST.index(one.item["kind"]) if one.item["kind"] in _LAST else -1)


def pods_of(items: Iterable[Mapping[str, Any]]) -> Iterator[JSON]:
    """The pod of every workload that has a template, as its controller would make it."""
    for item in items:
        template = item.get("spec", {}).get("template", {})
        if "containers" not in template.get("spec", {}):
            continue
        spec = {key: value for key, value in template["spec"].items() if key not in _REVISION}
        metadata = {"name": f"{item['metadata']['name']}-dry-run"} | template.get("metadata", {})
        if "namespace" in item["metadata"]:
            metadata["namespace"] = item["metadata"]["namespace"]
        yield {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def as_written(item: Mapping[str, Any]) -> JSON:
    """The object without what the server and the controllers add and change by themselves."""
    metadata = {key: value for key, value in item["metadata"].items() if key not in _BY_SERVER}
    annotations = {key: value for key, value in metadata.pop("annotations", {}).items() if key != _REVISION_NUMBER}
    return {key: value for key, value in item.items() if key != "status"} | {"metadata": metadata | annotations}


def is_true(item: Mapping[str, Any], condition: str) -> bool:
    """Whether a condition of an object's status holds."""
    found = item.get("status", {}).get("conditions") or ()
    return any(one["type"] == condition and one["status"] == "True" for one in found)


class Cluster:
    """A control plane with every CustomResourceDefinition of tests/contract/crds."""

    def __init__(self, plane: ControlPlane, tally: Tally) -> None:
        self.plane, self.tally = plane, tally
        self._namespaces: set[str] = set()
        more = os.environ.get("EXTRA_CRDS")  # a folder: those of a whole platform, whether we render their kinds or not
        paths = [*sorted(_CRDS.glob("*.yaml")), *(sorted(Path(more).rglob("*.yaml")) if more else ())]
        texts = [path.read_text(encoding="utf-8") for path in paths]
        items = [item for text in texts for item in yaml.load_all(text, yaml.CSafeLoader)]
        crds = [item for item in items if item and item["kind"] == "CustomResourceDefinition"]
        plane.install(crds)
        tally.count("custom resource definitions installed", number=len(crds))

    @property
    def client(self) -> Client:
        """The administrator's."""
        return self.plane.client

    def prepare(self, items: Iterable[Mapping[str, Any]]) -> None:
        """Make what is there before agents come: namespaces, and the priority classes that pods name."""
        for item in items:
            names = {item["metadata"].get("namespace") or DESTINATION}
            for subject in item.get("subjects", ()):
                names.add(subject["namespace"])
            for name in sorted(names - self._namespaces):
                self.plane.make_namespace(name, _RESTRICTED)
                self._namespaces.add(name)
        for pod in pods_of(items):
            name = pod["spec"].get("priorityClassName")
            if name and not name.startswith("system-"):
                head = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}}
                self.client.apply(head | {"value": 1000}, manager="platform")

    def refusals(self, found: Sequence[Manifest]) -> list[str]:
        """Apply manifests as they are written and return what the server says against them."""
        said = []
        for manifest in found:
            try:
                self.client.apply(manifest.item, DESTINATION, text=manifest.text)
            except ApiError as error:
                said.append(f"{manifest.name}: {error}")
        self.tally.count("objects applied", number=len(found), failures=len(said))
        return said

    def is_unchanged_by(self, manifest: Manifest) -> bool:
        """Apply a manifest that is applied already and say whether nothing was written.

        A controller may write its status between the two requests: then it is tried again.
        """
        for _ in range(10):
            before = self.client.get(manifest.item, DESTINATION)
            after = self.client.apply(manifest.item, DESTINATION, text=manifest.text)
            if before["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"]:
                return True
            if as_written(before) != as_written(after):
                return False
            time.sleep(0.2)
        return False

    def delete(self, found: Iterable[Manifest]) -> None:
        """Delete the objects of manifests."""
        for manifest in found:
            self.client.delete(manifest.item, DESTINATION)

    def kubectl(self, *arguments: str) -> str:
        """What kubectl prints as the administrator; raises CalledProcessError."""
        command = [str(self.plane.programs["kubectl"]), f"--kubeconfig={self.plane.kubeconfig}", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    @contextmanager
    def holding(self, found: Sequence[Manifest]) -> Iterator[list[str]]:
        """Apply manifests for as long as it lasts; yields what the server says against them."""
        self.prepare([manifest.item for manifest in found])
        try:
            yield self.refusals(found)
        finally:
            self.delete(found)
