"""Commands in containers through a real API server: its websocket, its two checks, its exit codes. kwok runs them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.cluster import Cluster, manifests
from tests.e2e.live import account_of
from tests.e2e.pod import wait_for
from tests.e2e.test_apiserver_changes import asked, change
from tests.e2e.test_apiserver_tools import SECURITY, obey
from tests.edge.model_server import ModelServer
from tests.harness import CASES
from tests.runtime.process import Runtime

JSON = dict[str, Any]
TEAM, SHOP, AGENT = "team", "shop", "looker"
SECONDS = 5  # for a call; 30 as it is rendered
CONTAINER: JSON = {"name": "web", "image": "nginx:1.29", "securityContext": SECURITY}
POD: JSON = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "namespace": SHOP},
    "spec": {"containers": [CONTAINER]},
}
ROLE: JSON = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "Role",
    "metadata": {"name": "team-looker", "namespace": SHOP},
}


@pytest.fixture(scope="module")
def runtime(cluster_with_nodes: Cluster, node: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """The agent of the build case by its rendered ConfigMap, as its ServiceAccount, and a pod that runs."""
    cluster, folder = cluster_with_nodes, tmp_path_factory.mktemp("exec")
    found = manifests(CASES / "build" / "tool-kubernetes-exec" / "expected")
    config = next(json.loads(one.item["data"]["runtime.json"]) for one in found if one.item["kind"] == "ConfigMap")
    config["component"]["config"]["workbench"][0]["config"]["timeout_seconds"] = SECONDS
    with cluster.holding(found) as refusals, ModelServer(obey) as model:
        assert refusals == []
        start(cluster)
        environment = account_of(cluster, folder, TEAM, AGENT, model.base_url)
        with Runtime(config, folder, "--cluster", "kubeconfig", **environment) as process:
            yield process
        cluster.client.delete(POD)


def start(cluster: Cluster) -> str:
    """Make the pod, wait until it runs, and return its uid."""
    cluster.prepare([POD])
    uid = cluster.client.create(POD)["metadata"]["uid"]

    def runs() -> bool:
        (status,) = cluster.client.get(POD)["status"].get("containerStatuses") or [{}]
        return "running" in status.get("state", {})

    wait_for(runs, 60)
    return str(uid)


def test_a_command_is_approved_and_run(runtime: Runtime, cluster: Cluster) -> None:
    """What a person is shown is what the pod is, and what is run."""
    preview, text, is_error = change(runtime, "kubectl-exec", pod="web", command="ls -l /proc/self/exe")
    assert not is_error, text
    assert preview.splitlines() == [
        "run a command in pods/web in namespace shop",
        'container: "web"',
        'image: "nginx:1.29"',
        f"pod uid: {cluster.client.get(POD)['metadata']['uid']}",
        'command: ["ls", "-l", "/proc/self/exe"]',
    ]
    head, stream, line = text.splitlines()
    assert (head, stream) == ("exit code 0", "stdout:")
    assert "/proc/self/exe -> " in line
    cluster.tally.count("commands run in containers")


def test_what_fails_is_told_with_its_error_stream(runtime: Runtime) -> None:
    """kwok tells of an exit code in words only; a kubelet's Status is in tests/edge/kubernetes_exec.py."""
    _, text, is_error = change(runtime, "kubectl-exec", pod="web", command="cat /etc/nginx/nothing-of-that-name")
    assert is_error
    head, stream, line = text.splitlines()
    assert head.startswith("the command failed: ")
    assert head.endswith("exit status 1")
    assert (stream, line.endswith("No such file or directory")) == ("stderr:", True)


def test_a_command_with_a_reason_is_run_without_a_question(runtime: Runtime) -> None:
    """By the default of its argument: the model has nothing to choose but the pod."""
    preview, text, is_error = change(runtime, "disk-usage", pod="web")
    assert (preview, is_error) == ("", False), text
    assert text.startswith("exit code 0\nstdout:\nFilesystem")


@pytest.mark.parametrize("command", ["cat /etc/shadow", "ls -l -R", "ls -l; id", "sh -c id", "cat /etc/nginx/.."])
def test_nothing_else_is_asked_for(runtime: Runtime, command: str) -> None:
    """Nobody is disturbed by what is not among the commands."""
    preview, text, is_error = change(runtime, "kubectl-exec", pod="web", command=command)
    assert (preview, is_error) == ("", True)
    assert "is not among the commands that may be run" in text, text


def test_a_command_without_an_end_is_left_after_its_time(runtime: Runtime) -> None:
    """The connection with it: the runtime goes on."""
    started = time.monotonic()
    _, text, is_error = change(runtime, "kubectl-exec", pod="web", command="sleep 50")
    assert is_error
    assert text.startswith("no end within ")
    assert time.monotonic() - started < 40


def test_another_pod_of_that_name_is_not_the_one_approved(runtime: Runtime, cluster: Cluster) -> None:
    """It came after the question: nothing is run in it."""
    session = runtime.new_session()
    call = {"name": "kubectl-exec", "arguments": {"pod": "web", "command": "ls -l /"}}
    runtime.send(session, json.dumps(call))
    question = asked(runtime, session)
    cluster.client.request("DELETE", cluster.client.path(POD), params={"gracePeriodSeconds": "0"})
    uid = start(cluster)
    path = f"/api/v1/sessions/{session}/approvals/{question['callId']}"
    assert runtime.client.post(path, json={"decision": "approve"}).status_code < 300
    (result,) = [one for one in runtime.wait_finished(session) if one["type"] == "tool.result"]
    assert result["isError"]
    assert result["content"].startswith("not done: the cluster has changed since this was approved")
    assert f"pod uid: {uid}" in result["content"]


def test_a_node_that_cannot_be_reached_is_an_error_in_words(runtime: Runtime, cluster: Cluster) -> None:
    """The server allows it and cannot get through."""
    lost = POD | {"metadata": POD["metadata"] | {"name": "lost"}, "spec": POD["spec"] | {"nodeName": "elsewhere"}}
    cluster.client.create(lost)
    state = {"name": "web", "image": "", "imageID": "", "ready": True, "restartCount": 0, "state": {"running": {}}}
    headers = {"Content-Type": "application/merge-patch+json"}
    status = {"status": {"phase": "Running", "containerStatuses": [state]}}
    cluster.client.request("PATCH", f"{cluster.client.path(lost)}/status", status, headers=headers)
    try:
        _, text, is_error = change(runtime, "disk-usage", pod="lost")
    finally:
        cluster.client.request("DELETE", cluster.client.path(lost), params={"gracePeriodSeconds": "0"})
    assert is_error
    assert "elsewhere" in text
    assert "forbidden" not in text


@pytest.mark.parametrize(
    ("missing", "told"), [("get", 'cannot get resource "pods/exec"'), ("create", 'pods "web" is forbidden')]
)
def test_the_server_asks_for_both_verbs(runtime: Runtime, cluster: Cluster, missing: str, told: str) -> None:
    """Kubernetes 1.35 and later: a Role with one of them opens no connection."""
    rules = cluster.client.get(ROLE)["rules"]
    narrowed = [
        rule | {"verbs": [verb for verb in rule["verbs"] if rule["resources"] != ["pods/exec"] or verb != missing]}
        for rule in rules
    ]
    try:
        cluster.client.merge(ROLE, {"rules": narrowed})
        text = _until(lambda: change(runtime, "disk-usage", pod="web")[1], "403: ")
        assert told in text
    finally:
        cluster.client.merge(ROLE, {"rules": rules})
    _until(lambda: change(runtime, "disk-usage", pod="web")[1], "exit code 0")


def _until(call: Callable[[], str], beginning: str) -> str:
    """The answer once it begins so: the server learns of a Role by a watch, a moment after it has stored it."""
    deadline = time.monotonic() + 20
    while not (text := call()).startswith(beginning):
        assert time.monotonic() < deadline, text
    return text
