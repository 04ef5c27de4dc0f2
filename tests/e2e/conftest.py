"""Fixtures: the image of the runtime and what can run it, and a real Kubernetes API server."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cluster import NODE, Cluster, is_true
from tests.e2e.containers import Containers, cache_directory, missing_requirement
from tests.e2e.controlplane import control_plane
from tests.e2e.controlplane.control_plane import ControlPlane
from tests.e2e.image import runtime_image
from tests.e2e.live import Command, command_for
from tests.e2e.tally import Tally

_TALLY = pytest.StashKey[Tally]()


@pytest.fixture(scope="session")
def containers() -> Iterator[Containers]:
    """Podman and buildah; without them the tests are skipped, or fail with REQUIRE_CONTAINERS=1."""
    reason = missing_requirement()
    if reason:
        stop = pytest.fail if os.environ.get("REQUIRE_CONTAINERS") == "1" else pytest.skip
        stop(f"containers cannot be run here: {reason}")
    engine = Containers(cache_directory())
    # Names in the container storage are shared: one run at a time.
    with (engine.cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield engine


@pytest.fixture(scope="session")
def image(containers: Containers) -> str:
    """The runtime image of the present sources."""
    return runtime_image(containers)


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A real control plane; without its programs the tests are skipped, or fail with REQUIRE_APISERVER=1."""
    _need_control_plane(with_nodes=False)
    tally = request.config.stash.setdefault(_TALLY, Tally())
    with ControlPlane(with_nodes=control_plane.missing_requirement(with_nodes=True) is None) as plane:
        yield Cluster(plane, tally)


@pytest.fixture(scope="session")
def cluster_with_nodes(cluster: Cluster) -> Cluster:
    """The same, with a scheduler and with kwok in place of kubelets."""
    _need_control_plane(with_nodes=True)
    return cluster


@pytest.fixture(scope="module")
def node(cluster_with_nodes: Cluster) -> Iterator[None]:
    """A node on which every pod starts at once: kwok plays its kubelet."""
    cluster = cluster_with_nodes
    cluster.client.apply(NODE, manager="platform")
    cluster.plane.wait_until(lambda: is_true(cluster.client.get(NODE), "Ready"))
    yield
    cluster.client.delete(NODE)


def _need_control_plane(*, with_nodes: bool) -> None:
    reason = control_plane.missing_requirement(with_nodes=with_nodes)
    if reason:
        stop = pytest.fail if os.environ.get("REQUIRE_APISERVER") == "1" else pytest.skip
        stop(f"no control plane can be started here: {reason}")


@pytest.fixture
def command(cluster: Cluster, tmp_path: Path) -> Command:
    """The command line with the real cluster as kubectl's current context."""
    return command_for(cluster, tmp_path)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what the real API server was asked, so that a log shows it."""
    tally = config.stash.get(_TALLY, None)
    if tally is not None:
        terminalreporter.section("real Kubernetes API server")
        for line in tally.lines():
            terminalreporter.line(line)
