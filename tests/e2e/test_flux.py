"""Flux's own libraries take what is rendered to a real API server: build, substitution, stages of the apply, pruning.

The program is `controlplane/flux/flux-apply`: the same calls as in kustomize-controller.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.cluster import Cluster
from tests.e2e.controlplane.binaries import find
from tests.harness import EXAMPLES, kagent_render

REMOVED = "release-watcher"
PROD = EXAMPLES / "platform-team" / "rendered" / "prod"


@dataclass(frozen=True)
class Flux:
    """One Kustomization, from run to run."""

    program: Path
    kubeconfig: Path
    inventory: Path

    def apply(self, folder: Path, *variables: str, expected: int = 0) -> tuple[dict[str, str], dict[str, str], str]:
        """What happened to each object that was applied, and to each that was pruned; and the error."""
        flags = [f"-kubeconfig={self.kubeconfig}", f"-inventory={self.inventory}", *(f"-var={v}" for v in variables)]
        command = [str(self.program), *flags, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == expected, done.stderr
        report = json.loads(done.stdout) if done.returncode == 0 else {"applied": {}, "pruned": {}}
        return report["applied"], report["pruned"], done.stderr


@pytest.fixture
def flux(cluster: Cluster, tmp_path: Path) -> Iterator[Flux]:
    found = find("flux-apply")
    if found is None:
        stop = pytest.fail if os.environ.get("REQUIRE_APISERVER") == "1" else pytest.skip
        stop("flux-apply is not there (python -m tests.e2e.controlplane.build flux-apply)")
    made = Flux(found, cluster.plane.kubeconfig, tmp_path / "inventory.json")
    yield made
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "kustomization.yaml").write_text("resources: [one.yaml]\n")
    last = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "last", "namespace": "default"}}
    (empty / "one.yaml").write_text(yaml.safe_dump(last))
    made.apply(empty)


def _names(folder: Path) -> set[str]:
    """The objects of a folder, as Flux names them."""
    return {_name(item) for item in _objects(folder)}


def _objects(folder: Path) -> list[Any]:
    return [item for path in sorted(folder.rglob("*/*.yaml")) for item in yaml.safe_load_all(path.read_text())]


def _name(item: Any) -> str:
    metadata = item["metadata"]
    return "/".join(part for part in (item["kind"], metadata.get("namespace"), metadata["name"]) if part)


def test_a_team_is_applied_and_applied_again_without_a_change(cluster: Cluster, flux: Flux) -> None:
    cluster.prepare(_objects(PROD))
    applied, pruned, _ = flux.apply(PROD, "CLUSTER=one")
    assert (set(applied), set(applied.values()), pruned) == (_names(PROD), {"created"}, {})
    again, pruned, _ = flux.apply(PROD, "CLUSTER=one")
    assert (set(again), set(again.values()), pruned) == (_names(PROD), {"unchanged"}, {})


def test_pruning_a_removed_agent_removes_exactly_its_objects(cluster: Cluster, flux: Flux, tmp_path: Path) -> None:
    source, folder = tmp_path / "platform-team", tmp_path / "rendered"
    shutil.copytree(EXAMPLES / "platform-team", source, ignore=shutil.ignore_patterns("rendered"))
    _build(source, folder)
    before = _names(folder)
    cluster.prepare(_objects(folder))
    flux.apply(folder)
    file = source / "specs" / "agents" / "single.yaml"
    kept = [item for item in yaml.safe_load_all(file.read_text()) if item["metadata"]["name"] != REMOVED]
    file.write_text(yaml.safe_dump_all(kept))
    _build(source, folder)
    gone = before - _names(folder)
    assert gone
    assert all(name.rpartition("/")[2].startswith(REMOVED) for name in gone)
    _, pruned, _ = flux.apply(folder)
    assert pruned == dict.fromkeys(gone, "deleted")


def test_a_prompt_with_a_variable_arrives_as_it_is(cluster: Cluster, flux: Flux, tmp_path: Path) -> None:
    """Without the mark, strict substitution would refuse all of it; with it, others are still substituted."""
    specs, folder = tmp_path / "specs", tmp_path / "rendered"
    shutil.copytree(EXAMPLES / "quickstart" / "specs", specs)
    text = (
        (specs / "agent.yaml").read_text().replace("smallest fix", "smallest fix for ${CLUSTER}, ${UNKNOWN} and ${x.y")
    )
    (specs / "agent.yaml").write_text(text)
    _build(specs, folder)
    cluster.prepare(_objects(folder))
    flux.apply(folder, "CLUSTER=one")
    (config,) = (item for item in _objects(folder) if item["kind"] == "ConfigMap")
    assert "fix for ${CLUSTER}, ${UNKNOWN} and ${x.y" in cluster.client.get(config)["data"]["runtime.json"]
    file = folder / "ai-agents" / "k8s-troubleshooter" / "configmap.yaml"
    file.write_text(file.read_text().replace("kustomize.toolkit.fluxcd.io/substitute: disabled", "example.com/a: b"))
    _, _, error = flux.apply(folder, "CLUSTER=one", expected=1)
    assert "substitution" in error or "envsubst" in error or "variable" in error


def _build(specs: Path, folder: Path) -> None:
    flags = ["--env", "prod"] if (specs / "environments").is_dir() else []
    done = kagent_render("build", str(specs), *flags, "-o", str(folder))
    assert done.code == 0, done.stderr
