"""What an agent changes in a cluster: previewed by a dry run, done as approved, in words for a model when it is not."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kagent_render.compiler import compile_paths
from kagent_runtime.components import cluster
from kagent_runtime.components.kubernetes_operations import ArgumentError, preview, run
from kagent_runtime.model import KubernetesTool
from tests.edge.kubernetes_writes import WritableApi
from tests.edge.model_server import ModelServer
from tests.harness import CASES
from tests.runtime.process import Runtime, runtime_config
from tests.runtime.puppet import puppet, task
from tests.runtime.surroundings import kubeconfig
from tests.runtime.test_approvals import decide, wait_for

JSON = dict[str, Any]
PASSWORD = base64.b64encode(b"correct horse").decode()
OTHER = base64.b64encode(b"battery staple").decode()


def item(kind: str, name: str, version: str = "v1", uid: str = "1", **more: Any) -> JSON:
    """An object of the namespace `team`; nodes have none."""
    place = {} if kind == "Node" else {"namespace": "team"}
    metadata = {"name": name, "uid": uid, **place} | more.pop("metadata", {})
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **more}


def template(image: str) -> JSON:
    """A pod template."""
    return {"spec": {"containers": [{"name": "app", "image": image}]}}


def replica_set(number: int, image: str) -> JSON:
    """A revision of the Deployment `web`."""
    owner = {"uid": "web", "kind": "Deployment", "name": "web", "controller": True}
    metadata = {"ownerReferences": [owner], "annotations": {"deployment.kubernetes.io/revision": str(number)}}
    return item("ReplicaSet", f"web-{number}", "apps/v1", metadata=metadata, spec={"template": template(image)})


def pod(name: str, kind: str | None, **spec: Any) -> JSON:
    """A pod of the node, with a controller of that kind."""
    owners = [{"uid": "o", "kind": kind, "name": "o", "controller": True}] if kind else []
    return item("Pod", name, uid=name, metadata={"ownerReferences": owners}, spec=spec)


WEB = item(
    "Deployment",
    "web",
    "apps/v1",
    uid="web",
    metadata={"annotations": {"deployment.kubernetes.io/revision": "2", "edge/owns-replicas": "hpa"}, "generation": 2},
    spec={"replicas": 2, "template": template("shop:2")},
    status={"observedGeneration": 2, "replicas": 3, "updatedReplicas": 2, "availableReplicas": 2},
)
SECRET = item("Secret", "db", data={"password": PASSWORD})
PODS = [
    pod("plain", "ReplicaSet"),
    pod("guarded", "ReplicaSet"),
    pod("agent", "DaemonSet"),
    pod("naked", None),
    pod("cache", "ReplicaSet", volumes=[{"name": "c", "emptyDir": {}}]),
]
EVENTS = [
    item("Event", f"e{n}", involvedObject={"kind": "Pod", "name": "p"}, lastTimestamp=f"2026-01-0{n}", message=f"m{n}")
    for n in (1, 3, 2)
]
OBJECTS = [WEB, SECRET, *PODS, *EVENTS, replica_set(1, "shop:1"), replica_set(2, "shop:2"), item("Node", "n1")]


@pytest.fixture
def api() -> Iterator[WritableApi]:
    with WritableApi(copy.deepcopy(OBJECTS), guarded=["guarded"]) as server:
        cluster.CONNECTION.mode, cluster.CONNECTION.sample_url = "sample", server.origin
        cluster.CONNECTION.namespace, cluster.CONNECTION.field_manager = "team", "kagent-operator"
        cluster._client.cache_clear()
        yield server
        cluster._client().rest_client.pool_manager.clear()
        cluster.CONNECTION.field_manager = "kagent"


@pytest.fixture(scope="module")
def tools() -> dict[str, KubernetesTool]:
    """As the compiler writes them."""
    compilation = compile_paths([str(CASES / "build" / "tool-kubernetes" / "input")])
    workload = next(one for one in compilation.workloads if one.name == "operator")
    (bench,) = workload.runtime_config["component"]["config"]["workbench"]
    return {
        tool["name"].removeprefix("kubectl-"): KubernetesTool.model_validate(tool) for tool in bench["config"]["tools"]
    }


def named(tool: KubernetesTool, *resources: str) -> KubernetesTool:
    """The tool, granted other resources."""
    return tool.model_copy(update={"resources": list(resources)})


def test_a_preview_changes_nothing(api: WritableApi, tools: dict[str, KubernetesTool]) -> None:
    """Of no operation: every write before the approval is a dry run."""
    calls: dict[str, JSON] = {
        "scale": {"resource": "deploy", "name": "web", "replicas": 9},
        "rollout-restart": {"resource": "deploy", "name": "web"},
        "rollout-undo": {"resource": "deploy", "name": "web"},
        "patch": {"resource": "deploy", "name": "web", "patch": "spec: {paused: true}"},
        "label": {"resource": "deploy", "name": "web", "labels": "a=b"},
        "annotate": {"resource": "deploy", "name": "web", "annotations": "a=b"},
        "delete": {"resource": "pods", "name": "plain"},
        "cordon": {"name": "n1"},
        "uncordon": {"name": "n1"},
        "drain": {"name": "n1"},
    }
    for name, arguments in calls.items():
        assert preview(tools[name], arguments, 5)
    assert api._objects == OBJECTS
    assert preview(tools["events"], {}, 5) is None


def test_what_was_approved_is_all_that_is_done(api: WritableApi, tools: dict[str, KubernetesTool]) -> None:
    """When the cluster has changed since, the model is told what it would be now."""
    arguments = {"resource": "deploy", "name": "web", "replicas": 5}
    seen = preview(tools["scale"], arguments, 5)
    assert seen == "scale deployments.apps/web in namespace team from 2 to 5 replicas"
    web = api.object("Deployment", "web")
    assert web is not None
    web["spec"]["replicas"] = 4
    with pytest.raises(ArgumentError, match=r"changed since this was approved(?s:.*)from 4 to 5"):
        run(tools["scale"], arguments, 5, approved=seen)
    assert web["spec"]["replicas"] == 4
    assert run(tools["scale"], arguments, 5, approved=preview(tools["scale"], arguments, 5)).endswith("to 5 replicas")
    assert web["spec"]["replicas"] == 5


def test_an_undo_goes_back_to_the_revision_before(api: WritableApi, tools: dict[str, KubernetesTool]) -> None:
    """With the diff of the pod template; a revision that is not there is named with those that are."""
    arguments = {"resource": "deploy", "name": "web"}
    seen = preview(tools["rollout-undo"], arguments, 5) or ""
    assert "from revision 2 to 1" in seen
    assert "-      - image: shop:2" in seen
    run(tools["rollout-undo"], arguments, 5, approved=seen)
    assert (api.object("Deployment", "web") or {})["spec"]["template"] == template("shop:1") | {
        "metadata": {"labels": {}}
    }
    with pytest.raises(ArgumentError, match="no revision 7; there are: 1, 2"):
        run(tools["rollout-undo"], arguments | {"revision": 7}, 5)


def test_a_drain_evicts_only_what_comes_back(api: WritableApi, tools: dict[str, KubernetesTool]) -> None:
    """Budgets hold; pods of DaemonSets, without a controller or with data stay, and the answer says why."""
    text = run(tools["drain"], {"name": "n1"}, 5)
    assert "team/plain: evicted" in text
    assert "team/guarded: held by its PodDisruptionBudget" in text
    assert "team/agent: left, of the DaemonSet o" in text
    assert "team/naked: left, no controller" in text
    assert "team/cache: left, its emptyDir" in text
    assert "1 pods are still there" in text
    assert (api.object("Node", "n1") or {})["spec"] == {"unschedulable": True}
    left = [item["metadata"]["name"] for item in api._objects if item["kind"] == "Pod"]
    assert left == ["guarded", "agent", "naked", "cache"]
    assert "team/cache: evicted" in run(tools["drain"], {"name": "n1", "deleteEmptyDirData": True}, 5)


def test_a_diff_of_a_secret_shows_which_value_changes_and_no_value(
    api: WritableApi, tools: dict[str, KubernetesTool]
) -> None:
    """Neither the old one nor the new one."""
    tool = named(tools["patch"], "secrets.v1")
    arguments = {"resource": "secrets", "name": "db", "patch": json.dumps({"data": {"password": OTHER}})}
    seen = preview(tool, arguments, 5) or ""
    assert "[masked, changed]" in seen
    text = run(tool, arguments, 5, approved=seen)
    assert (api.object("Secret", "db") or {})["data"] == {"password": OTHER}
    assert not [value for value in (PASSWORD, OTHER) if value in seen + text]


def test_a_conflict_says_how_to_go_on(api: WritableApi, tools: dict[str, KubernetesTool]) -> None:
    """And `force` takes the field over."""
    tool = named(tools["apply-config"], "deployments.v1.apps").model_copy(update={"namespaces": []})
    manifest = json.dumps(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 7}}
    )
    with pytest.raises(cluster.ClusterError, match=r"Another manager owns it.*`force`"):
        preview(tool, {"manifest": manifest}, 5)
    assert "-  replicas: 2\n+  replicas: 7" in (preview(tool, {"manifest": manifest, "force": True}, 5) or "")
    queries = [query for seen, query, _ in api.bodies if seen.verb == "patch"]
    assert {query["fieldManager"] for query in queries} == {"kagent-operator"}


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("apply-config", {"manifest": "a: &a [1]\nb: *a"}, "aliases are not allowed"),
        ("apply-config", {"manifest": "a: 1\n---\nb: 2"}, "must be one object, not 2"),
        ("apply-config", {"manifest": "kind: ConfigMap"}, "no `apiVersion`"),
        ("apply-config", {"manifest": "{apiVersion: v1, kind: Secret, metadata: {name: a}}"}, "Secret is not granted"),
        ("patch", {"resource": "secrets", "name": "db", "patch": "{}"}, "`secrets` is not granted"),
        ("label", {"resource": "deploy", "name": "web", "labels": "nothing"}, "neither key=value nor key-"),
        ("scale", {"resource": "deploy", "name": "web", "replicas": -1}, "whole number from 0 up"),
        ("delete", {"resource": "pods", "name": "../nodes/n1"}, "is not a name"),
        (
            "delete",
            {"resource": "pods", "name": "p", "namespace": "kube-system"},
            "namespace `kube-system` is not granted",
        ),
    ],
)
def test_what_is_not_granted_or_not_valid_sends_nothing(
    api: WritableApi, tools: dict[str, KubernetesTool], name: str, arguments: JSON, message: str
) -> None:
    """In words that a model can act on."""
    with pytest.raises(ArgumentError, match=message):
        preview(tools[name], arguments, 5)
    assert api.requests == []


def test_reports_are_short_and_lead_with_what_matters(api: WritableApi, tools: dict[str, KubernetesTool]) -> None:
    """Events newest first with a note of what is left out, and a rollout's state in a sentence."""
    text = run(tools["events"], {"limit": 2}, 5)
    assert [line.split()[-1] for line in text.splitlines()[1:3]] == ["m3", "m2"]
    assert "1 older events left out" in text
    status = run(tools["rollout-status"], {"resource": "deploy", "name": "web"}, 5)
    assert status.endswith("in progress, 1 old replicas are pending termination")
    history = run(tools["rollout-history"], {"resource": "deploy", "name": "web"}, 5)
    assert [line.split()[0] for line in history.splitlines()] == ["REVISION", "1", "2"]
    assert "image: shop:1" in run(tools["rollout-history"], {"resource": "deploy", "name": "web", "revision": 1}, 5)


def test_what_is_used_is_told_in_units_that_people_know(tools: dict[str, KubernetesTool]) -> None:
    """The largest first, summed over the containers; without a metrics API the answer names metrics-server."""
    tool = tools["top-everything"]
    usage = [{"usage": {"cpu": cpu, "memory": memory}} for cpu, memory in (("250000000n", "64Mi"), ("1", "1024Ki"))]
    version = "metrics.k8s.io/v1beta1"
    pods = [item("Pod", "small", version, containers=usage[:1]), item("Pod", "large", version, containers=usage)]
    with WritableApi(pods) as server:
        cluster.CONNECTION.mode, cluster.CONNECTION.sample_url = "sample", server.origin
        cluster._client.cache_clear()
        lines = [line.split() for line in run(tool, {"resource": "pods", "namespace": "team"}, 5).splitlines()]
        cluster._client().rest_client.pool_manager.clear()
    assert lines[1:] == [["large", "1250m", "65Mi"], ["small", "250m", "64Mi"]]


def test_a_long_preview_is_bound_to_the_whole(
    api: WritableApi, tools: dict[str, KubernetesTool], tmp_path: Path
) -> None:
    """Two changes that look alike as far as they are shown are not taken for one another."""
    tool = named(tools["apply-config"], "configmaps.v1").model_copy(update={"namespaces": []})
    texts = []
    for ending in ("a", "b"):
        data = {f"k{n:04}": "x" * 30 for n in range(1_000)} | {"z": ending}
        manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}
        texts.append(preview(tool, {"manifest": json.dumps(manifest)}, 5) or "")
    assert all(len(text) < 17_000 and "are not shown" in text for text in texts)
    assert texts[0] != texts[1]


def test_what_a_person_was_shown_outlives_the_process(api: WritableApi, tmp_path: Path) -> None:
    """The preview is in the database: approved after a crash, and after a change, the call is not made."""
    config = runtime_config(CASES / "build" / "tool-kubernetes" / "input", "operator")
    config["component"]["config"]["system_message"] = "You are operator."  # as the puppet is called
    call = {"name": "kubectl-annotate", "arguments": {"resource": "deploy", "name": "web", "annotations": "a=b"}}
    with ModelServer(puppet()) as model:
        environment = {"KUBECONFIG": kubeconfig(tmp_path, api.origin), "POD_NAMESPACE": "team"}
        environment |= {"KAGENT_MODEL_BASE_URL": model.base_url, "KAGENT_M_API_KEY": "key"}
        with Runtime(config, tmp_path, "--cluster", "kubeconfig", **environment) as process:
            session = process.new_session()
            process.send(session, task(operator=[{"tool_calls": [call]}, {"text": "ok"}]))
            question = wait_for(process, session, "approval.requested")[0]
            assert "+    a: b" in question["preview"]
            process.kill()
        web = api.object("Deployment", "web")
        assert web is not None
        web["metadata"]["annotations"]["a"] = "other"
        with Runtime(config, tmp_path, "--cluster", "kubeconfig", **environment) as process:
            assert decide(process, session, question["callId"], "approve").status_code < 300
            (result,) = [one for one in process.wait_finished(session) if one["type"] == "tool.result"]
    assert result["isError"]
    assert "changed since this was approved" in result["content"]
    assert web["metadata"]["annotations"]["a"] == "other"
