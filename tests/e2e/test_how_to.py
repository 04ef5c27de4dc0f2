"""The how-tos, from an empty repository to a running agent: every command of them, against real servers.

A cluster of its own for each, in which kwok plays the kubelet. What people have of their own stands in: a Git server on
the loopback interface for theirs, and for Flux's controller its libraries (`flux-apply`).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.cluster import NODE
from tests.e2e.controlplane import argocd_server, control_plane
from tests.e2e.controlplane.argocd_server import ArgoCD
from tests.e2e.controlplane.binaries import find
from tests.e2e.controlplane.client import ApiError
from tests.e2e.controlplane.control_plane import ControlPlane
from tests.e2e.controlplane.git_server import GitServer
from tests.e2e.pod import wait_for
from tests.e2e.test_pre_commit import Repository, release
from tests.harness import EXAMPLES, ROOT

__all__ = ["release"]
HOW_TO = EXAMPLES / "quickstart" / "how-to"
THEIRS = "https://git.example.com/agents.git"
OURS = "https://github.com/kagent-render/kagent-render"
CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "troubleshooter", "namespace": "agents"}}
CHANGED = "Say in three sentences"
JSON = dict[str, Any]


def blocks(name: str) -> list[str]:
    """The commands of a how-to, block by block."""
    return re.findall(r"^```sh\n(.*?)^```", (HOW_TO / f"{name}.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)


@dataclass
class Reader:
    """Somebody who follows a how-to, in an empty folder."""

    folder: Path
    plane: ControlPlane
    git: dict[str, str] = field(default_factory=dict)

    def follow(self, block: str) -> None:
        """Run a block as it stands."""
        place = self.folder / "agents-repo"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=place if place.is_dir() else self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"

    def environment(self) -> dict[str, str]:
        """Their tools, their cluster, their key."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        lines = ["[user]", "name = A Reader", "email = reader@example.com", "[safe]", "directory = *"]
        lines += ['[protocol "file"]', "allow = always"]
        for real, named in self.git.items():
            lines += [f'[url "{real}"]', f"insteadOf = {named}"]
        (home / ".gitconfig").write_text("\n".join(lines) + "\n")
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PYTHON", "VIRTUAL_"))
        }
        programs = [Path(sys.executable).parent, self.plane.programs["kubectl"].parent]
        return kept | {
            "PATH": os.pathsep.join([*map(str, programs), os.environ["PATH"]]),
            "PYTHONPATH": str(ROOT),
            "HOME": str(home),
            "PRE_COMMIT_HOME": str(home / "pre-commit"),
            "KUBECONFIG": str(self.plane.kubeconfig),
            "OPENAI_API_KEY": "sk-of-the-reader",
        }

    def prompt(self) -> str:
        """What the agent in the cluster is told."""
        try:
            return str(self.plane.client.get(CONFIG_MAP)["data"]["runtime.json"])
        except ApiError:
            return ""

    def wait_for_prompt(self, *, changed: bool) -> None:
        """Until the cluster has the agent of the last commit."""
        wait_for(lambda: bool(self.prompt()) and (CHANGED in self.prompt()) == changed, 120)


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    """A cluster with a node."""
    if reason := control_plane.missing_requirement(with_nodes=True):
        stop = pytest.fail if os.environ.get("REQUIRE_APISERVER") == "1" else pytest.skip
        stop(f"no control plane can be started here: {reason}")
    with ControlPlane(with_nodes=True) as running:
        running.client.apply(NODE, manager="platform")
        yield running


def _bare(folder: Path) -> Path:
    bare = folder / "agents.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(bare)], check=True)
    return bare


def test_pre_commit(plane: ControlPlane, release: Repository, tmp_path: Path) -> None:
    """Manifests in Git, and kubectl."""
    reader = Reader(tmp_path, plane, {str(release.folder): OURS})
    repository, hook, commit, cluster, change = blocks("pre-commit")
    for block in (repository, hook, commit, cluster):
        reader.follow(block)
    reader.wait_for_prompt(changed=False)
    middle = change.index("git revert")
    reader.follow(change[:middle])
    assert CHANGED in reader.prompt()
    reader.follow(change[middle:])
    assert CHANGED not in reader.prompt()


@dataclass
class Kustomizer:
    """Does for one Kustomization what Flux's controllers do: fetches, applies with Flux's libraries, says Ready."""

    reader: Reader
    program: Path
    _stopped: threading.Event = field(default_factory=threading.Event)
    _applied: str = ""
    error: str = ""

    def run(self) -> None:
        """Until it is stopped."""
        while not self._stopped.wait(0.5):
            try:
                self._reconcile()
            except ApiError:
                continue  # nobody has told of the repository yet
            except subprocess.CalledProcessError as error:
                self.error = f"{error.cmd}: {error.stderr}"

    def stop(self) -> None:
        """End."""
        self._stopped.set()

    def _reconcile(self) -> None:
        head = {"metadata": {"name": "agents", "namespace": "flux-system"}}
        client = self.reader.plane.client
        wanted = client.get(head | {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization"})
        source = client.get(head | {"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository"})
        url, branch = source["spec"]["url"], source["spec"]["ref"]["branch"]
        clone = self.reader.folder / "artifact"
        revision = self._run("git", "ls-remote", url, f"refs/heads/{branch}").split()[0]
        if revision == self._applied:
            return
        self._run("rm", "-rf", str(clone))
        self._run("git", "clone", "--quiet", "--branch", branch, url, str(clone))
        inventory = self.reader.folder / "inventory.json"
        flags = [f"-kubeconfig={self.reader.plane.kubeconfig}", f"-inventory={inventory}"]
        self._run(str(self.program), *flags, str(clone / wanted["spec"]["path"]))
        now = {"lastTransitionTime": "2026-01-01T00:00:00Z", "message": f"Applied revision: {revision}"}
        ready = now | {"type": "Ready", "status": "True", "reason": "ReconciliationSucceeded"}
        status = {"conditions": [ready], "observedGeneration": wanted["metadata"]["generation"]}
        merge = {"Content-Type": "application/merge-patch+json"}
        client.request("PATCH", f"{client.path(wanted)}/status", {"status": status}, headers=merge)
        self._applied = revision

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            command, env=self.reader.environment(), capture_output=True, text=True, timeout=120, check=True
        )
        return done.stdout


@pytest.fixture
def kustomize() -> Path:
    """The program of Flux's libraries."""
    program = find("flux-apply")
    if program is None:
        stop = pytest.fail if os.environ.get("REQUIRE_APISERVER") == "1" else pytest.skip
        stop("flux-apply is not there (python -m tests.e2e.controlplane.build flux-apply)")
    return program


def test_flux(plane: ControlPlane, kustomize: Path, tmp_path: Path) -> None:
    """Manifests in Git, and a Kustomization."""
    crds = [
        crd
        for path in sorted((ROOT / "tests" / "contract" / "gitops_crds").glob("*fluxcd*.yaml"))
        for crd in yaml.load_all(path.read_text("utf-8"), yaml.CSafeLoader)
    ]
    plane.install(crds)
    plane.make_namespace("flux-system")
    reader = Reader(tmp_path, plane, {str(_bare(tmp_path)): THEIRS})
    controller = Kustomizer(reader, kustomize)
    thread = threading.Thread(target=controller.run, daemon=True)
    thread.start()
    try:
        _from_git("flux", reader, lambda: None)
    finally:
        controller.stop()
        thread.join(120)
    assert controller.error == ""


def test_argocd(plane: ControlPlane, tmp_path: Path) -> None:
    """Specs in Git, and an Application."""
    if reason := argocd_server.missing_requirement():
        stop = pytest.fail if os.environ.get("REQUIRE_ARGOCD") == "1" else pytest.skip
        stop(f"Argo CD cannot be started here: {reason}")
    application = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "agents-prod", "namespace": argocd_server.NAMESPACE},
    }

    def refresh() -> None:
        plane.client.merge(application, {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}})

    with GitServer() as git, ArgoCD(plane):
        bare = git.repository("agents")
        # Argo CD reads Git by a library of its own, which knows nothing of who stands in for whom.
        _from_git("argocd", Reader(tmp_path, plane), refresh, url=bare.url)
        plane.client.delete(application)


def _from_git(name: str, reader: Reader, tell: Callable[[], None], url: str = THEIRS) -> None:
    """Follow a how-to whose controller takes commits from Git; `tell` has it look, as a webhook would."""
    *first, change, back = [block.replace(THEIRS, url) for block in blocks(name)]
    for block in first:
        reader.follow(block)
    reader.wait_for_prompt(changed=False)
    reader.follow(change)
    tell()
    reader.wait_for_prompt(changed=True)
    reader.follow(back)
    tell()
    reader.wait_for_prompt(changed=False)
    deployment = CONFIG_MAP | {"apiVersion": "apps/v1", "kind": "Deployment"}
    wait_for(lambda: reader.plane.client.get(deployment).get("status", {}).get("availableReplicas", 0) >= 1, 60)


def test_every_how_to_is_followed() -> None:
    """A new one needs a test here."""
    assert {path.stem for path in HOW_TO.glob("*.md")} == {"argocd", "flux", "pre-commit"}
    assert json.dumps([len(blocks(name)) for name in ("argocd", "flux", "pre-commit")]) == "[4, 4, 5]"
