"""The runtime's changes to a real API server: previewed by its dry run, approved, and within the rendered Role."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.cluster import Cluster, manifests
from tests.e2e.controlplane.client import ApiError
from tests.e2e.live import account_of
from tests.e2e.test_apiserver_tools import SECURITY, obey
from tests.edge.model_server import ModelServer
from tests.harness import ROOT
from tests.runtime.process import Event, Runtime

TEAM, SHOP, AGENT = "team", "shop", "operator"
CONTAINER = {"name": "app", "image": "shop:1", "securityContext": SECURITY}
WEB: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": TEAM},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [CONTAINER]}},
    },
}
_CONTAINERS = "FIELD: spec.template.spec.containers <[]Object>"
SETTINGS: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings", "namespace": SHOP},
    "data": {"level": "info"},
}


@pytest.fixture(scope="module")
def runtime(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """The agent of the build case with every tool that changes something, as its ServiceAccount."""
    folder = tmp_path_factory.mktemp("changes")
    found = manifests(ROOT / "tests" / "cases" / "build" / "tool-kubernetes" / "expected")
    found = [one for one in found if "narrow" not in one.item["metadata"]["name"]]
    config = next(json.loads(one.item["data"]["runtime.json"]) for one in found if one.item["kind"] == "ConfigMap")
    with cluster.holding(found) as refusals, ModelServer(obey) as model:
        assert refusals == []
        cluster.client.create(WEB)
        environment = account_of(cluster, folder, TEAM, AGENT, model.base_url)
        with Runtime(config, folder, "--cluster", "kubeconfig", **environment) as process:
            yield process
        cluster.client.delete(WEB)


def asked(runtime: Runtime, session: str) -> Event:
    """The question to a person, or the end without one."""
    deadline = time.monotonic() + 30
    while True:
        for event in runtime.log(session):
            if event["type"] in ("approval.requested", "run.finished"):
                return event
        assert time.monotonic() < deadline, runtime.log(session)
        time.sleep(0.05)


def change(runtime: Runtime, tool: str, /, **arguments: Any) -> tuple[str, str, bool]:
    """What a person is shown before a call, what the approved call answers, and whether as an error."""
    session = runtime.new_session()
    runtime.send(session, json.dumps({"name": tool, "arguments": arguments}))
    question = asked(runtime, session)
    if question["type"] == "approval.requested":
        path = f"/api/v1/sessions/{session}/approvals/{question['callId']}"
        assert runtime.client.post(path, json={"decision": "approve"}).status_code < 300
    (result,) = [one for one in runtime.wait_finished(session) if one["type"] == "tool.result"]
    return question.get("preview", ""), result["content"], result["isError"]


def live(cluster: Cluster, item: dict[str, Any]) -> dict[str, Any]:
    """An object as the server has it."""
    found: dict[str, Any] = cluster.client.request("GET", cluster.client.path(item))
    return found


def test_a_deployment_is_scaled_without_a_question(runtime: Runtime, cluster: Cluster) -> None:
    """The spec says why nobody has to approve it."""
    preview, text, is_error = change(runtime, "kubectl-scale", resource="deploy", name="web", replicas=3)
    assert (preview, is_error) == ("", False), text
    assert text == "deployments.apps/web in namespace team scaled from 2 to 3 replicas"
    assert live(cluster, WEB)["spec"]["replicas"] == 3


def test_a_restart_is_approved_and_done(runtime: Runtime, cluster: Cluster) -> None:
    """By the annotation of kubectl."""
    preview, text, is_error = change(runtime, "kubectl-rollout-restart", resource="deployments", name="web")
    assert not is_error, text
    assert preview.startswith("restart the ")
    template = live(cluster, WEB)["spec"]["template"]["metadata"]
    assert "kubectl.kubernetes.io/restartedAt" in template["annotations"]


def test_an_apply_creates_then_shows_the_diff_of_the_server(runtime: Runtime, cluster: Cluster) -> None:
    """Under a field manager of the agent's name; what the manifest does not name stays."""
    preview, text, is_error = change(runtime, "apply-config", manifest=json.dumps(SETTINGS))
    try:
        assert not is_error, text
        assert preview.startswith("create configmaps/settings in namespace shop")
        found = live(cluster, SETTINGS)
        assert found["data"] == {"level": "info"}
        assert [one["manager"] for one in found["metadata"]["managedFields"]] == ["kagent-operator"]
        changed = json.dumps(SETTINGS | {"data": {"level": "debug"}})
        preview, text, is_error = change(runtime, "apply-config", manifest=changed)
        assert not is_error, text
        assert "-  level: info" in preview
        assert "+  level: debug" in preview
        assert live(cluster, SETTINGS)["data"] == {"level": "debug"}
    finally:
        cluster.client.delete(SETTINGS)


def test_the_field_of_another_manager_is_a_conflict_before_anybody_is_asked(runtime: Runtime, cluster: Cluster) -> None:
    """The server's dry run says it, and how to go on."""
    cluster.client.create(SETTINGS)
    try:
        changed = json.dumps(SETTINGS | {"data": {"level": "debug"}})
        preview, text, is_error = change(runtime, "apply-config", manifest=changed)
        assert (preview, is_error) == ("", True)
        assert text.startswith("409: ")
        assert "force" in text
    finally:
        cluster.client.delete(SETTINGS)


def test_a_patch_with_an_unknown_field_is_refused_by_the_dry_run(runtime: Runtime) -> None:
    """Nobody is asked to approve what would not work."""
    patch = '{"spec": {"replicaz": 1}}'
    preview, text, is_error = change(runtime, "kubectl-patch", resource="deploy", name="web", patch=patch)
    assert (preview, is_error) == ("", True)
    assert 'unknown field "spec.replicaz"' in text


def test_a_deletion_is_of_the_object_that_was_shown(runtime: Runtime, cluster: Cluster) -> None:
    """Its uid is in the question."""
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "old", "namespace": TEAM}}
    uid = cluster.client.create(item)["metadata"]["uid"]
    preview, text, is_error = change(runtime, "kubectl-delete", resource="cm", name="old")
    assert not is_error, text
    assert f"uid: {uid}" in preview
    with pytest.raises(ApiError, match="404"):
        live(cluster, item)


def test_what_the_server_serves_is_listed_and_explained(runtime: Runtime) -> None:
    """Custom resources included; the rendered Role grants neither: everyone who is authenticated may ask."""
    _, text, is_error = change(runtime, "kubectl-api-resources", apiGroup="keda.sh")
    assert not is_error, text
    head, *rows = text.splitlines()
    assert head.split() == ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"]
    assert ["scaledobjects", "so", "keda.sh/v1alpha1", "true", "ScaledObject"] in [row.split() for row in rows]
    _, text, is_error = change(runtime, "kubectl-explain", resource="deployment.spec", field="template.spec.containers")
    assert not is_error, text
    assert text.splitlines()[:3] == ["KIND: Deployment", "API VERSION: apps/v1", _CONTAINERS]
    assert "  name <string> (required): Name of the container" in text
    _, text, is_error = change(runtime, "kubectl-explain", resource="so", field="spec", recursive=True)
    assert not is_error, text
    assert "\n  scaleTargetRef <Object> (required)\n" in text
    assert "\n    name <string> (required)\n" in text


@pytest.mark.parametrize(
    ("resource", "field", "told"),
    [
        ("deploy", "spec.replicaz", "`spec` has no field `replicaz`; it has: minReadySeconds, paused"),
        ("unicorns", "", "the API server serves no resource `unicorns`"),
        ("pod", "spec.nodeName.x", "`spec.nodeName` has no field `x`; it has: none"),
    ],
)
def test_what_is_not_there_is_not_explained(runtime: Runtime, resource: str, field: str, told: str) -> None:
    """The model is told what there is."""
    _, text, is_error = change(runtime, "kubectl-explain", resource=resource, field=field)
    assert is_error
    assert text.startswith(told)


@pytest.mark.usefixtures("runtime")
def test_the_token_changes_nothing_else(cluster: Cluster) -> None:
    """What may be applied in the shop may not be deleted there, and Secrets are out of reach."""
    with cluster.plane.as_account(TEAM, AGENT) as account:
        for item in (
            SETTINGS,
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x", "namespace": TEAM}},
            {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "x"}},
        ):
            with pytest.raises(ApiError, match=r"403: .* is forbidden"):
                account.delete(item)
