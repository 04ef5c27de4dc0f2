"""The runtime's changes of Helm releases: by the real helm, in a real API server, each as its own ServiceAccount.

Every operation has an agent of its own, so that a verb which its Role lacks is refused by the server.
"""

from __future__ import annotations

import base64
import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kagent_runtime.approvals import APPROVED_PREVIEW
from kagent_runtime.components import cluster as connection
from kagent_runtime.components.helm_tools import HelmTools
from kagent_runtime.model.helm_tools import HelmToolsConfig
from tests.e2e.cluster import Cluster, Manifest, manifests
from tests.e2e.controlplane.build import built
from tests.e2e.controlplane.client import ApiError
from tests.e2e.test_apiserver_changes import change
from tests.e2e.test_apiserver_tools import obey
from tests.edge.model_server import ModelServer
from tests.harness import CASES
from tests.runtime.process import Runtime

NAMESPACE = "ops"
CHART = Path(__file__).parent / "charts" / "shop"
DECLARED = "http://charts.ops.svc:8080"  # where the case's specs say that the charts are
CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shop", "namespace": NAMESPACE}}
DEPLOYMENT = CONFIG_MAP | {"apiVersion": "apps/v1", "kind": "Deployment"}
SECRET, SERVICE = CONFIG_MAP | {"kind": "Secret"}, CONFIG_MAP | {"kind": "Service"}


@pytest.fixture(scope="module")
def helm() -> Path:
    """The program."""
    program = built("helm")
    if program is None:
        stop = pytest.fail if os.environ.get("REQUIRE_APISERVER") == "1" else pytest.skip
        stop("not built: helm (python -m tests.e2e.controlplane.build helm)")
    return program


@pytest.fixture(scope="module")
def repository(helm: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A chart repository with two versions of the chart, as `helm repo index` makes it."""
    folder, home = tmp_path_factory.mktemp("charts"), tmp_path_factory.mktemp("home")
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    for version in ("1.0.0", "1.1.0"):
        command = [str(helm), "package", str(CHART), "--version", version, "-d", str(folder)]
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    subprocess.run([str(helm), "repo", "index", str(folder)], check=True, env=environment)
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def held(cluster: Cluster) -> Iterator[list[Manifest]]:
    """The case's agents in the cluster."""
    found = manifests(CASES / "build" / "tool-helm" / "expected")
    with cluster.holding(found) as refusals:
        assert refusals == []
        yield found


def config_of(found: list[Manifest], agent: str, repository: str) -> dict[str, Any]:
    """An agent's rendered config, with the chart where it is here."""
    (item,) = [one.item for one in found if one.item["kind"] == "ConfigMap" and one.item["metadata"]["name"] == agent]
    config: dict[str, Any] = json.loads(item["data"]["runtime.json"].replace(DECLARED, repository))
    return config


class Account:
    """The helm tools of one agent, with the token of its ServiceAccount."""

    def __init__(self, config: dict[str, Any], tool: str) -> None:
        (bench,) = config["component"]["config"]["workbench"]
        self._bench, self._tool = HelmTools(HelmToolsConfig.model_validate(bench["config"])), tool

    async def preview(self, **arguments: Any) -> tuple[str, bool]:
        """What a person is shown."""
        text, is_error = await self._bench.preview(self._tool, arguments, None)
        return text or "", is_error

    async def call(self, approved: str | None = None, /, **arguments: Any) -> tuple[str, bool]:
        """The answer, after an approval of `approved`."""
        token = APPROVED_PREVIEW.set(approved)
        try:
            result = await self._bench.call_tool(self._tool, arguments)
        finally:
            APPROVED_PREVIEW.reset(token)
        return result.to_text(), bool(result.is_error)


@pytest.fixture
def account(
    cluster: Cluster,
    held: list[Manifest],
    helm: Path,
    repository: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Any]:
    """Makes the tools of an agent."""
    monkeypatch.setenv("PATH", f"{helm.parent}{os.pathsep}{os.environ['PATH']}")
    for name, value in (("mode", "kubeconfig"), ("namespace", NAMESPACE), ("field_manager", "kagent-test")):
        monkeypatch.setattr(connection.CONNECTION, name, value)

    def make(agent: str, tool: str) -> Account:
        kubeconfig = tmp_path / f"{agent}.kubeconfig"
        cluster.plane.write_kubeconfig(kubeconfig, cluster.plane.token(NAMESPACE, agent))
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
        # The client reads the variable once, when it is imported.
        monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(kubeconfig))
        connection._client.cache_clear()
        cluster.tally.count("calls of the runtime's tools")
        return Account(config_of(held, agent, repository), tool)

    yield make
    connection._client.cache_clear()


def live(cluster: Cluster, item: dict[str, Any]) -> dict[str, Any]:
    """An object as the server has it."""
    found: dict[str, Any] = cluster.client.request("GET", cluster.client.path(item))
    return found


async def test_a_release_from_its_installation_to_its_end(account: Any, cluster: Cluster) -> None:
    """Each step as another account: what it shows is what it does."""
    for step in (_install, _upgrade, _compare, _roll_back, _uninstall):
        await step(account, cluster)


async def _install(account: Any, cluster: Cluster) -> None:
    installer = account("installer", "install-shop")
    shown, is_error = await installer.preview(release="shop", version="1.0.0", values="level: debug")
    assert not is_error, shown
    head, hooks, *rest = shown.splitlines()
    assert head == "install release shop in namespace ops to shop-1.0.0, revision 1"
    assert hooks == "Hooks of the chart, which do not run: ConfigMap/shop-before"
    assert [line for line in rest if line.startswith(("create", "change", "delete"))] == [
        "create ConfigMap/shop",
        "create Deployment/shop",
        "create Secret/shop",
    ]
    assert "hunter2" not in shown
    with pytest.raises(ApiError, match="404"):
        live(cluster, CONFIG_MAP)
    answer, is_error = await installer.call(shown, release="shop", version="1.0.0", values="level: debug")
    assert not is_error, answer
    assert live(cluster, CONFIG_MAP)["data"] == {"level": "debug", "chart": "1.0.0"}
    assert "hunter2" not in answer


async def _upgrade(account: Any, cluster: Cluster) -> None:
    upgrader = account("upgrader", "upgrade-shop")
    values = "service: true\nreplicas: 3\npassword: hunter3"
    shown, is_error = await upgrader.preview(release="shop", values=values)
    assert not is_error, shown
    assert shown.startswith(
        "upgrade release shop in namespace ops from shop-1.0.0, revision 1, to shop-1.1.0, revision 2\n"
        "Hooks of the chart, which run: ConfigMap/shop-before\n"
    )
    assert "-  replicas: 1\n+  replicas: 3" in shown
    assert "create Service/shop" in shown
    assert "+  password: '[masked, changed]'" in shown
    assert "hunter" not in shown
    assert "level: info" not in shown, "the values of the release are kept"
    answer, is_error = await upgrader.call(shown, release="shop", values=values)
    assert not is_error, answer
    assert live(cluster, DEPLOYMENT)["spec"]["replicas"] == 3
    assert live(cluster, CONFIG_MAP)["data"] == {"level": "debug", "chart": "1.1.0"}
    assert live(cluster, CONFIG_MAP | {"metadata": {"name": "shop-before", "namespace": NAMESPACE}})


async def _compare(account: Any, cluster: Cluster) -> None:
    """What the upgrade changed, of the releases as Helm itself has stored them."""
    text, is_error = await account("watcher", "helm-diff").call(None, release="shop")
    assert not is_error, text
    head, before, after, *rest = text.splitlines()
    assert head == "release shop in namespace ops: revision 1 to 2"
    assert before.startswith("revision 1: shop-1.0.0, superseded, 20")
    assert after.startswith("revision 2: shop-1.1.0, deployed, 20")
    assert rest[:6] == [
        "Values: changed",
        "Objects: 1 added, 0 removed, 3 changed",
        "  ~ ConfigMap/shop",
        "  ~ Deployment/shop",
        "  ~ Secret/shop",
        "  + Service/shop",
    ]
    assert "+password: '[masked]'" in rest
    assert "+  password: '[masked, changed]'" in rest
    assert "-  replicas: 1\n+  replicas: 3" in text
    assert "-  chart: 1.0.0\n+  chart: 1.1.0" in text
    assert "hunter" not in text


async def _roll_back(account: Any, cluster: Cluster) -> None:
    roller = account("roller", "helm-rollback")
    shown, is_error = await roller.preview(release="shop")
    assert not is_error, shown
    assert shown.startswith("roll release shop in namespace ops back from revision 2 (shop-1.1.0) to 1 (shop-1.0.0)\n")
    assert "delete Service/shop" in shown
    answer, is_error = await roller.call(shown, release="shop")
    assert not is_error, answer
    with pytest.raises(ApiError, match="404"):
        live(cluster, SERVICE)
    assert live(cluster, DEPLOYMENT)["spec"]["replicas"] == 1
    assert base64.b64decode(live(cluster, SECRET)["data"]["password"]) == b"hunter2"


async def _uninstall(account: Any, cluster: Cluster) -> None:
    remover = account("remover", "helm-uninstall")
    shown, is_error = await remover.preview(release="shop")
    assert not is_error, shown
    assert shown.splitlines() == [
        "uninstall release shop in namespace ops (shop-1.0.0) with its history of 3 revisions",
        "Hooks of the chart, which do not run: ConfigMap/shop-before",
        "delete ConfigMap/shop",
        "delete Deployment/shop",
        "delete Secret/shop",
    ]
    answer, is_error = await remover.call(shown, release="shop")
    assert not is_error, answer
    with pytest.raises(ApiError, match="404"):
        live(cluster, DEPLOYMENT)
    answer, is_error = await remover.call(None, release="shop")
    assert (answer, is_error) == ("there is no release `shop` in ops", True)
    cluster.client.delete(CONFIG_MAP | {"metadata": {"name": "shop-before", "namespace": NAMESPACE}})


async def test_what_was_approved_is_all_that_is_done(account: Any, cluster: Cluster) -> None:
    """A release that has been changed since is left as it is."""
    installer = account("installer", "install-shop")
    assert not (await installer.call(None, release="shop", version="1.0.0"))[1]
    try:
        upgrader = account("upgrader", "upgrade-shop")
        shown, _ = await upgrader.preview(release="shop", values="replicas: 2")
        assert not (await upgrader.call(None, release="shop", values="level: debug"))[1]
        answer, is_error = await upgrader.call(shown, release="shop", values="replicas: 2")
        assert is_error
        assert answer.startswith("not done: the cluster has changed since this was approved.")
        assert "\nupgrade release shop in namespace ops from shop-1.1.0, revision 2, " in answer
        assert live(cluster, DEPLOYMENT)["spec"]["replicas"] == 1
    finally:
        assert not (await account("remover", "helm-uninstall").call(None, release="shop"))[1]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"release": "other"}, "`release` must be one of: shop, shop-two"),
        ({"release": "shop", "namespace": "kube-system"}, "namespace `kube-system` is not granted; granted: ops"),
        ({"release": "shop", "values": "- a"}, "`values` must be"),
        ({"release": "shop", "version": "--kubeconfig=/x"}, "`--kubeconfig=/x` is not a version"),
        ({"release": "shop", "version": "9.9.9"}, 'helm: INSTALLATION FAILED: chart "shop" version "9.9.9" not found'),
        (
            {"release": "shop", "values": "replicas: many"},
            "the API server would refuse this change:\nDeployment/shop: 500: ",
        ),
        (
            {"release": "shop-two", "values": "replicas: -1"},
            "the API server would refuse this change:\nDeployment/shop-two: 422: ",
        ),
    ],
    ids=["release", "namespace", "values", "option", "version", "type", "value"],
)
async def test_what_would_fail_is_asked_of_nobody(account: Any, arguments: dict[str, Any], told: str) -> None:
    """The reason is for the model, without what the program logs."""
    text, is_error = await account("installer", "install-shop").preview(**arguments)
    assert is_error
    assert text.startswith(told), text
    assert "level=" not in text


async def test_the_role_is_the_limit(account: Any, held: list[Manifest], repository: str, cluster: Cluster) -> None:
    """The installer's token uninstalls nothing, and nobody is asked whether it should."""
    installer = account("installer", "install-shop")
    assert not (await installer.call(None, release="shop", version="1.0.0"))[1]
    try:
        impostor = Account(config_of(held, "remover", repository), "helm-uninstall")
        text, is_error = await impostor.preview(release="shop")
        assert is_error
        assert text.startswith("the API server would refuse this change:\nSecret/shop: 403: ")
        assert live(cluster, DEPLOYMENT)
    finally:
        assert not (await account("remover", "helm-uninstall").call(None, release="shop"))[1]


def test_a_chart_from_a_registry_is_asked_for_by_an_agent_and_approved(
    cluster: Cluster, held: list[Manifest], helm: Path, tmp_path: Path
) -> None:
    """The whole path: the process, the model's call, the question with the preview, the approval, the release."""
    registry = shutil.which("docker-registry")
    if registry is None:
        stop = pytest.fail if os.environ.get("REQUIRE_CONTAINERS") == "1" else pytest.skip
        stop("not installed: docker-registry")
    config = {"version": 0.1, "storage": {"filesystem": {"rootdirectory": str(tmp_path / "blobs")}}}
    config |= {"http": {"addr": "127.0.0.1:0"}, "log": {"level": "info"}}
    (tmp_path / "registry.yml").write_text(json.dumps(config))
    with open(tmp_path / "registry.log", "wb") as log:
        server = subprocess.Popen([str(registry), "serve", str(tmp_path / "registry.yml")], stderr=log)
    try:
        address = _listening(tmp_path / "registry.log")
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        subprocess.run([str(helm), "package", str(CHART), "-d", str(tmp_path)], check=True, env=environment)
        push = [str(helm), "push", str(tmp_path / "shop-1.0.0.tgz"), f"oci://{address}/charts", "--plain-http"]
        subprocess.run(push, check=True, env=environment)
        rendered = config_of(held, "installer", "")
        (bench,) = rendered["component"]["config"]["workbench"]
        bench["config"]["tools"][0]["chart"] = {"name": f"oci://{address}/charts/shop", "plain_http": True}
        _approve(cluster, helm, rendered, tmp_path)
    finally:
        server.terminate()
        server.wait()


def _approve(cluster: Cluster, helm: Path, config: dict[str, Any], folder: Path) -> None:
    kubeconfig = folder / "account.kubeconfig"
    cluster.plane.write_kubeconfig(kubeconfig, cluster.plane.token(NAMESPACE, "installer"))
    with ModelServer(obey) as model:
        environment = {
            "KUBECONFIG": str(kubeconfig),
            "POD_NAMESPACE": NAMESPACE,
            "KAGENT_MODEL_BASE_URL": model.base_url,
            "PATH": f"{helm.parent}{os.pathsep}{os.environ['PATH']}",
        }
        with Runtime(config, folder, "--cluster", "kubeconfig", **environment) as process:
            preview, text, is_error = change(process, "install-shop", release="shop-two")
    assert not is_error, text
    assert preview.startswith("install release shop-two in namespace ops to shop-1.0.0, revision 1\n")
    path = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop-two", "namespace": NAMESPACE}}
    assert live(cluster, path)["spec"]["template"]["spec"]["containers"][0]["image"] == "shop:1.0.0"
    listed = subprocess.run(
        [str(helm), "history", "shop-two", "-n", NAMESPACE, "-o", "json"],
        capture_output=True,
        check=True,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "KUBECONFIG": str(cluster.plane.kubeconfig)},
    )
    assert [one["description"] for one in json.loads(listed.stdout)] == ["by kagent-installer"]
    for kind in ("Deployment", "ConfigMap", "Secret"):
        version = "apps/v1" if kind == "Deployment" else "v1"
        cluster.client.delete(path | {"apiVersion": version, "kind": kind})


def _listening(log: Path) -> str:
    for _ in range(100):
        if found := re.search(r"listening on (127\.0\.0\.1:\d+)", log.read_text(encoding="utf-8")):
            return found[1]
        time.sleep(0.1)
    pytest.fail(f"the registry did not start: {log.read_text(encoding='utf-8')}")
