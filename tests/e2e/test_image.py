"""What the stock image is, before any workload runs in it."""

from __future__ import annotations

import json
from subprocess import CompletedProcess

import pytest

from tests.e2e.containers import Containers

PYTHON = "/opt/kagent/bin/python"


def in_image(containers: Containers, image: str, *command: str) -> CompletedProcess[str]:
    """Run a command in the image the way the cluster does: no network, nothing writable."""
    options = ("--rm", "--read-only", "--network", "none", "--cap-drop", "ALL")
    return containers.attempt("podman", "run", *options, "--entrypoint", command[0], image, *command[1:])


def test_it_runs_as_nobody_in_particular(containers: Containers, image: str) -> None:
    config = json.loads(containers.run("podman", "image", "inspect", image))[0]["Config"]
    assert config["User"] == "10001:10001"
    assert config["Entrypoint"] == [PYTHON, "-m", "kagent_runtime"]
    assert config["Cmd"] == ["--config", "/etc/kagent/runtime.json"]
    assert list(config["ExposedPorts"]) == ["8080/tcp"]
    # No revision and no date: the same sources are the same image.
    labels = {key for key in config["Labels"] if key.startswith("org.opencontainers.")}
    assert {name.removeprefix("org.opencontainers.image.") for name in labels} == {
        "title",
        "description",
        "licenses",
    }


@pytest.mark.parametrize("tool", ["pip", "pip3", "cc", "gcc", "curl", "wget", "git"])
def test_it_holds_nothing_to_install_or_fetch_with(containers: Containers, image: str, tool: str) -> None:
    assert in_image(containers, image, "sh", "-c", f"command -v {tool}").returncode != 0


def test_no_python_in_it_has_pip(containers: Containers, image: str) -> None:
    for python in (PYTHON, "/usr/bin/python3"):
        done = in_image(containers, image, python, "-c", "import pip")
        assert "No module named 'pip'" in done.stderr


def test_it_ships_bytecode_for_all_it_holds(containers: Containers, image: str) -> None:
    code = (
        "import importlib.util, pathlib, sysconfig\n"
        "for folder in (sysconfig.get_path('purelib'), sysconfig.get_path('stdlib'), '/opt/kagent/app'):\n"
        "    for path in pathlib.Path(folder).rglob('*.py'):\n"
        "        if not pathlib.Path(importlib.util.cache_from_source(path)).exists(): print(path)\n"
    )
    done = in_image(containers, image, PYTHON, "-c", code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_missing_config_is_one_clear_line(containers: Containers, image: str) -> None:
    command = ["/usr/bin/env", "KAGENT_AUTH=none", PYTHON, "-m", "kagent_runtime", "--config"]
    done = in_image(containers, image, *command, "/etc/kagent/runtime.json")
    assert done.returncode == 78
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("kagent-runtime: ")
    assert "/etc/kagent/runtime.json" in done.stderr
