"""Fixtures that turn the sources of the runtime into an image, and find what can run it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator

import pytest

from tests.e2e.containers import Containers, cache_directory, missing_requirement
from tests.e2e.image import runtime_image


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
