"""The control plane itself: which programs it takes, how it starts, and that nothing of it stays."""

from __future__ import annotations

import os
import re
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.cluster import Cluster
from tests.e2e.controlplane import binaries
from tests.e2e.controlplane.build import MODULES
from tests.e2e.controlplane.control_plane import ControlPlane
from tests.e2e.controlplane.process import StartError, started


def _program(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_programs_are_found_in_the_order_of_envtest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named one by one, in a folder of assets, what was built, PATH."""
    named, asset, on_path = (_program(tmp_path / folder, "kube-apiserver") for folder in ("named", "assets", "path"))
    monkeypatch.setenv("KAGENT_RENDER_CACHE", str(tmp_path / "empty"))
    monkeypatch.setenv("PATH", str(on_path.parent))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    monkeypatch.delenv("TEST_ASSET_KUBE_APISERVER", raising=False)
    assert binaries.find("kube-apiserver") == on_path
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(asset.parent))
    assert binaries.find("kube-apiserver") == asset
    monkeypatch.setenv("TEST_ASSET_KUBE_APISERVER", str(named))
    assert binaries.find("kube-apiserver") == named
    assert binaries.find("kubernetes-of-nobody") is None


def test_what_was_built_of_other_sources_is_not_taken() -> None:
    """Another lock or another Go is another folder."""
    module = MODULES[0]
    digest = module.digest("go1.26.6")
    assert digest == module.digest("go1.26.6") != module.digest("go1.26.7")
    assert replace(module, folder=MODULES[1].folder).digest("go1.26.6") != digest


def test_every_program_is_a_tool_of_its_module() -> None:
    """So its packages are in go.sum, and `go mod tidy` keeps them there; or it is written in the module's folder."""
    for module in MODULES:
        tools = set(re.findall(r"^tool ([^\s(]+)$", module.go_mod, re.MULTILINE))
        for block in re.findall(r"^tool \((.*?)^\)", module.go_mod, re.MULTILINE | re.DOTALL):
            tools |= set(block.split())
        own = {f"./{path.parent.name}" for path in module.folder.glob("*/main.go")}
        assert tools | own == set(module.programs.values())


FLAKY = """
import pathlib, socket, sys, time
state, port = pathlib.Path(sys.argv[1]), int(sys.argv[2])
if not state.exists():
    state.touch()
    sys.exit("listen tcp 127.0.0.1: bind: address already in use")
listener = socket.create_server(("127.0.0.1", port))
time.sleep(60)
"""


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_port_that_somebody_took_meanwhile_is_replaced(tmp_path: Path) -> None:
    """The program says so itself, and ends."""
    ports = []

    def command(port: int) -> list[str | Path]:
        ports.append(port)
        return [sys.executable, "-c", FLAKY, tmp_path / "state", str(port)]

    process, port = started(command, tmp_path / "flaky.log", _listens, 20)
    process.stop()
    assert len(ports) == 2
    assert port == ports[1]
    assert not process.is_running


def test_a_program_that_ends_is_an_error_with_its_words(tmp_path: Path) -> None:
    """And not waited for."""
    command = [sys.executable, "-c", "import sys; sys.exit('no such flag')"]
    with pytest.raises(StartError, match=r"(?s)broken: exited 1.*no such flag"):
        started(lambda _: command, tmp_path / "broken.log", lambda _: False, 20)


@pytest.mark.usefixtures("cluster")
def test_nothing_of_it_stays() -> None:
    """Neither processes nor files; and it works outside of pytest's fixtures."""
    with ControlPlane() as plane:
        folder = plane.kubeconfig.parent
        version = plane.client.request("GET", "/version")
        assert _processes(folder)
    assert version["gitVersion"] in MODULES[0].go_mod or "KUBEBUILDER_ASSETS" in os.environ
    assert _processes(folder) == []
    assert not folder.exists()


def _processes(folder: Path) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().decode("utf-8", "replace")
        except OSError:
            continue
        if str(folder) in command:
            found.append(command)
    return found


def test_the_server_is_the_version_of_the_module(cluster: Cluster) -> None:
    """Unstamped it would call itself v0.0.0, and its compatibility checks would go by that."""
    version = cluster.client.request("GET", "/version")
    assert re.fullmatch(r"v1\.\d+\.\d+", version["gitVersion"])
    assert cluster.client.is_ready()
