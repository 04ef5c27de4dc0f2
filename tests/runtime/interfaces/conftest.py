"""Rendered agents that the clients of every protocol talk to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.edge.kubernetes_api import KubernetesApi
from tests.edge.model_server import ModelServer
from tests.runtime.process import KEY, Runtime
from tests.runtime.puppet import puppet
from tests.runtime.specs import agent, compiled, team
from tests.runtime.surroundings import kubeconfig

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "checkout-1", "namespace": "default"}}
TOOLS = "tools: [{name: kubectl-get, requireApproval: true}, {name: kubectl-describe}]"
ENDS = "terminationCondition: {anyOf: [{type: Handoff, target: user}, {type: TextMention, text: DONE}]}"


@pytest.fixture(scope="session")
def cluster() -> Iterator[KubernetesApi]:
    """A cluster with one pod."""
    with KubernetesApi([POD]) as server:
        yield server


@pytest.fixture(scope="session")
def model() -> Iterator[ModelServer]:
    """A model whose answers the messages carry."""
    with ModelServer(puppet(), api_key=KEY) as server:
        yield server


@pytest.fixture(scope="session")
def solo(model: ModelServer, cluster: KubernetesApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """One agent, with a tool that a person approves and one that is free."""
    folder = tmp_path_factory.mktemp("solo")
    config = compiled(folder / "specs", model.base_url, agent("solo", TOOLS))
    path = kubeconfig(folder, cluster.origin)
    with Runtime(config, folder / "run", "--cluster", "kubeconfig", KUBECONFIG=path, POD_NAMESPACE="default") as run:
        yield run


@pytest.fixture(scope="session")
def desk(model: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """A Swarm of two, which asks the user or says DONE."""
    folder = tmp_path_factory.mktemp("desk")
    members = (
        agent("front", "handoffs: [{name: back}, {name: user}]"),
        agent("back", "handoffs: [{name: front}]"),
        team("Swarm", "front", "back", more=ENDS),
    )
    with Runtime(compiled(folder / "specs", model.base_url, *members), folder / "run") as run:
        yield run
