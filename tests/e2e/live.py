"""The command line beside a real cluster: specs rendered, and commands with `--live`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from tests.e2e.cluster import Cluster, Manifest, manifests
from tests.harness import Outcome, kagent_render

Command = Callable[..., Outcome]


def command_for(cluster: Cluster, home: Path) -> Command:
    """The command line with the cluster as kubectl's current context."""
    path = f"{cluster.plane.programs['kubectl'].parent}{os.pathsep}{os.environ['PATH']}"
    config = str(cluster.plane.kubeconfig)

    def run(*arguments: str) -> Outcome:
        return kagent_render(*arguments, KUBECONFIG=config, HOME=str(home), PATH=path)

    return run


def account_of(cluster: Cluster, folder: Path, namespace: str, agent: str, model: str) -> dict[str, str]:
    """The environment of a runtime that is the ServiceAccount of an agent, with the base URL of its model."""
    kubeconfig = folder / "account.kubeconfig"
    cluster.plane.write_kubeconfig(kubeconfig, cluster.plane.token(namespace, agent))
    return {
        "KUBECONFIG": str(kubeconfig),
        "POD_NAMESPACE": namespace,
        "KAGENT_MODEL_BASE_URL": model,
        "KAGENT_M_API_KEY": "key",
    }


def rendered(specs: Path, folder: Path) -> list[Manifest]:
    """The manifests of specs."""
    outcome = kagent_render("build", str(specs), "-o", str(folder))
    assert outcome.code == 0, outcome.stderr
    return manifests(folder)
