"""Argo CD's own plugin server runs our plugin.yaml, and is called as its repo server calls it.

The server is built of the released module by `tests/e2e/controlplane/argocd`; what it calls is this environment's
`kagent-render`, and once that of the plugin's image.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from kagent_render.gitops.argocd_objects import plugin_configuration
from tests.e2e.containers import Containers
from tests.e2e.controlplane.argocd_plugin import PluginServer
from tests.e2e.controlplane.binaries import find_all
from tests.e2e.image import plugin_image
from tests.e2e.pod import wait_for
from tests.harness import EXAMPLES, ROOT, kagent_render

PROGRAMS = ("argocd-cmp-server", "argocd-cmp-call")


@dataclass(frozen=True)
class Server:
    """A running plugin server, and what calls it."""

    plugin: PluginServer
    caller: Path

    def call(
        self, what: str, root: Path, app: str = ".", *, timeout: str = "60s", **environment: str
    ) -> tuple[Any, str]:
        """The server's answer and "", or None and the error that Argo CD shows."""
        env = [f"{name}={value}" for name, value in environment.items()]
        command: list[str | Path] = [self.caller, "-timeout", timeout, what, self.plugin.socket, root, root / app, *env]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        return (json.loads(done.stdout), "") if done.returncode == 0 else (None, done.stderr)

    def objects(self, root: Path, app: str = ".", **environment: str) -> list[Any]:
        """The objects that the repo server would get."""
        answer, error = self.call("generate", root, app, **environment)
        assert error == ""
        return [item for text in answer["manifests"] for item in yaml.safe_load_all(text)]


@pytest.fixture(scope="module")
def programs() -> dict[str, Path]:
    found, absent = find_all(PROGRAMS)
    if absent:
        stop = pytest.fail if os.environ.get("REQUIRE_ARGOCD") == "1" else pytest.skip
        stop(f"not there: {', '.join(absent)} (python -m tests.e2e.controlplane.build {' '.join(absent)})")
    return found


@pytest.fixture
def server(programs: Mapping[str, Path], tmp_path: Path) -> Iterator[Server]:
    """The plugin server, beside a repo server that the tests are."""
    sockets = Path(f"/tmp/kagent-render-{os.getpid()}")  # the path of a socket has 107 characters at most
    plugin = PluginServer(programs["argocd-cmp-server"], tmp_path / "sidecar", sockets)
    try:
        yield Server(plugin, programs["argocd-cmp-call"])
    finally:
        plugin.stop()
        sockets.rmdir()


def _built(folder: Path, *flags: str) -> list[Any]:
    done = kagent_render("build", *flags, cwd=folder)
    assert done.code == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_an_environment_comes_back_object_by_object(server: Server, environment: str) -> None:
    """In the order in which we print them, which the hydrator keeps."""
    given = json.dumps([{"name": "env", "string": environment}])
    found = server.objects(EXAMPLES, "platform-team", ARGOCD_APP_PARAMETERS=given, ARGOCD_APP_NAMESPACE="agents")
    folder = EXAMPLES / "platform-team"
    assert found == _built(folder, "--env", environment, "--namespace", "agents")
    assert len(found) > 50


@pytest.mark.parametrize("parameters", [None, "null", "[]", '[{"name":"env"}]', '[{"name":"set","map":{}}]'])
def test_no_parameters_in_every_form(server: Server, parameters: str | None) -> None:
    given = {} if parameters is None else {"ARGOCD_APP_PARAMETERS": parameters}
    assert server.objects(EXAMPLES / "quickstart", **given) == _built(EXAMPLES / "quickstart")


def test_the_namespace_and_fields_of_the_application(server: Server) -> None:
    setting = {"Agent/k8s-troubleshooter:spec.description": "Another"}
    given = json.dumps([{"name": "set", "map": setting}])
    found = server.objects(EXAMPLES / "quickstart", ARGOCD_APP_PARAMETERS=given, ARGOCD_APP_NAMESPACE="team")
    (key, value) = next(iter(setting.items()))
    assert found == _built(EXAMPLES / "quickstart", "--namespace", "team", "--set", f"{key}={value}")


def test_a_broken_spec_is_an_error_with_its_place_and_no_objects(server: Server, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    source = (EXAMPLES / "quickstart" / "specs" / "agent.yaml").read_text()
    (repository / "agent.yaml").write_text(source.replace("modelConfigRef", "modelConfigRaf"))
    answer, error = server.call("generate", repository)
    assert answer is None
    assert "`kagent-render argocd generate` failed exit status 1: " in error
    assert "agent.yaml:" in error
    assert "error[KR101] the field `modelConfigRaf` does not exist (did you mean `modelConfigRef`?)" in error
    assert "Traceback" not in error
    assert str(server.plugin.work) not in error  # a random path would make each error a new one
    assert len(error) < 2_000


def test_an_empty_repository_is_an_error(server: Server, tmp_path: Path) -> None:
    """No objects with exit 0 would have everything deleted."""
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository" / "README.md").write_text("nothing\n")
    answer, error = server.call("generate", tmp_path / "repository")
    assert answer is None
    assert "no specs of kagent.dev/v1alpha1" in error


def test_parameters_are_announced(server: Server) -> None:
    """As the page of an Application shows them: this call has no namespace and no revision."""
    answer, error = server.call("parameters", EXAMPLES, "platform-team")
    assert error == ""
    announced = {entry["name"]: entry for entry in answer["parameterAnnouncements"]}
    assert [*announced] == ["env", "namespace", "paths", "set"]
    assert announced["env"]["tooltip"].endswith("one of: dev, prod, staging")
    assert (announced["set"]["collectionType"], announced["paths"]["array"]) == ("map", ["."])


def test_it_is_chosen_by_name_alone(server: Server) -> None:
    """Without discovery, which would stream the repository once more."""
    answer, error = server.call("match", EXAMPLES / "quickstart")
    assert error == ""
    assert not answer.get("isDiscoveryEnabled")


def _many(folder: Path, agents: int) -> Path:
    """Specs that take seconds to compile."""
    folder.mkdir(exist_ok=True)
    specs = EXAMPLES / "quickstart" / "specs"
    (folder / "model.yaml").write_text((specs / "model.yaml").read_text())
    text = (specs / "agent.yaml").read_text()
    for number in range(agents):
        (folder / f"{number}.yaml").write_text(text.replace("k8s-troubleshooter", f"agent-{number}"))
    return folder


def test_a_deadline_ends_it_and_the_server_goes_on(server: Server, tmp_path: Path) -> None:
    """Whoever is faster says so: the client whose time is up, or the server that ended the command."""
    repository = _many(tmp_path / "repository", 700)
    started = time.monotonic()
    answer, error = server.call("generate", repository, timeout="1200ms")
    assert answer is None
    assert any(word in error.lower() for word in ("deadline", "signal: killed", "signal: terminated")), error
    wait_for(lambda: not _children(server.plugin.process.pid), 4)  # SIGKILL would come after 5 s
    assert time.monotonic() - started < 5
    assert server.objects(EXAMPLES / "quickstart") == _built(EXAMPLES / "quickstart")


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_sigterm_ends_generate_with_no_output(tmp_path: Path) -> None:
    """As the server sends it to the process group."""
    process = subprocess.Popen(
        [sys.executable, "-m", "kagent_render", "argocd", "generate"],
        cwd=_many(tmp_path, 500),
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    time.sleep(0.6)
    os.killpg(process.pid, signal.SIGTERM)
    out, err = process.communicate(timeout=10)
    assert process.returncode != 0
    assert (out, b"Traceback" in err) == (b"", False)


def test_the_image_compiles_as_its_user_on_a_read_only_root(containers: Containers) -> None:
    image = plugin_image(containers)
    limits = ["--user", "999:999", "--read-only", "--cap-drop", "ALL", "--network", "none", "--rm"]
    mount = ["--volume", f"{EXAMPLES}/quickstart:/repository:ro", "--workdir", "/repository"]
    command = ["podman", "run", *limits, *mount, "--entrypoint", "kagent-render", image, "argocd", "generate"]
    assert list(yaml.safe_load_all(containers.run(*command))) == _built(EXAMPLES / "quickstart")
    shown = ["podman", "run", *limits, "--entrypoint", "cat", image, "/home/argocd/cmp-server/config/plugin.yaml"]
    assert containers.run(*shown) == plugin_configuration()
