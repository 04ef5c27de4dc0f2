"""The runtime's Kubernetes tools against a real API server, with the token of the rendered ServiceAccount."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.e2e.cluster import Cluster, manifests
from tests.e2e.controlplane.client import ApiError
from tests.edge.model_server import ModelRequest, ModelServer
from tests.edge.script import Step
from tests.harness import EXAMPLES
from tests.runtime.process import Runtime

NAMESPACE, AGENT = "ai-agents", "k8s-troubleshooter"
HEAD = {"name": "checkout-1", "namespace": NAMESPACE}
SECURITY = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
# For no scheduler's: what is read of the pod's status is what is written below.
SPEC = {"schedulerName": "nobody", "containers": [{"name": "app", "image": "shop:2", "securityContext": SECURITY}]}
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": HEAD | {"labels": {"app": "checkout"}}, "spec": SPEC}
CRASHED = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}}
STATUS = {
    "phase": "Running",
    "containerStatuses": [
        {
            "name": "app",
            "image": "shop:2",
            "imageID": "",
            "ready": False,
            "restartCount": 7,
            "state": CRASHED,
            "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}},
        }
    ],
}


def event(uid: str) -> dict[str, Any]:
    """What a kubelet writes of the pod."""
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "checkout-1.1", "namespace": NAMESPACE},
        "involvedObject": {"apiVersion": "v1", "kind": "Pod", **HEAD, "uid": uid},
        "type": "Warning",
        "reason": "BackOff",
        "message": "Back-off restarting failed container",
        "lastTimestamp": "2026-01-01T00:00:00Z",
        "count": 7,
    }


def obey(request: ModelRequest) -> Step:
    """Call the tool that the user's message says, then end."""
    if request.messages[-1]["role"] == "tool":
        return Step(text="done")
    task = next(message["content"] for message in reversed(request.messages) if message["role"] == "user")
    return Step(tool_calls=[json.loads(task)])


@pytest.fixture(scope="module")
def runtime(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """The quickstart's agent by its rendered ConfigMap, as its ServiceAccount, and a pod that crashes."""
    folder = tmp_path_factory.mktemp("tools")
    found = manifests(EXAMPLES / "quickstart" / "rendered" / "default")
    config = next(json.loads(one.item["data"]["runtime.json"]) for one in found if one.item["kind"] == "ConfigMap")
    kubeconfig = folder / "account.kubeconfig"
    with cluster.holding(found) as refusals, ModelServer(obey) as model:
        assert refusals == []
        cluster.plane.write_kubeconfig(kubeconfig, cluster.plane.token(NAMESPACE, AGENT))
        pod = cluster.client.create(POD)
        path = cluster.client.path(POD)
        cluster.client.request(
            "PATCH", f"{path}/status", {"status": STATUS}, headers={"Content-Type": "application/merge-patch+json"}
        )
        cluster.client.create(event(pod["metadata"]["uid"]))
        environment = {
            "KUBECONFIG": str(kubeconfig),
            "POD_NAMESPACE": NAMESPACE,
            "KAGENT_MODEL_BASE_URL": model.base_url,
        }
        with Runtime(config, folder, "--cluster", "kubeconfig", **environment) as process:
            yield process
        cluster.client.request("DELETE", path, params={"gracePeriodSeconds": "0"})
        cluster.client.delete(event(""))


def read(runtime: Runtime, cluster: Cluster, tool: str, /, **arguments: str) -> tuple[str, bool]:
    """What a tool answers, and whether as an error."""
    call: Mapping[str, Any] = {"name": tool, "arguments": arguments}
    events = runtime.ask(runtime.new_session(), json.dumps(call))
    (result,) = [one for one in events if one["type"] == "tool.result"]
    cluster.tally.count("calls of the runtime's tools")
    return result["content"], result["isError"]


def test_pods_are_listed_as_the_server_prints_them(runtime: Runtime, cluster: Cluster) -> None:
    """Its own table, with a label selector."""
    text, is_error = read(runtime, cluster, "kubectl-get", resource="pods", labelSelector="app=checkout")
    assert not is_error, text
    head, row = text.splitlines()
    assert head.split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert row.split()[:4] == ["checkout-1", "0/1", "CrashLoopBackOff", "7"]


def test_a_pod_is_described_with_its_events(runtime: Runtime, cluster: Cluster) -> None:
    """From the two requests that the Role allows."""
    text, is_error = read(runtime, cluster, "kubectl-describe", resource="pod", name="checkout-1")
    assert not is_error, text
    for shown in ("restarts: 7", "CrashLoopBackOff", "exitCode 1", "Back-off restarting failed container"):
        assert shown in text


@pytest.mark.parametrize("resource", ["deploy", "svc", "cm", "netpol", "events"])
def test_the_other_resources_are_read(runtime: Runtime, cluster: Cluster, resource: str) -> None:
    """By the names that kubectl users know, of groups and versions that a real server serves."""
    text, is_error = read(runtime, cluster, "kubectl-get", resource=resource)
    assert not is_error, text
    assert ("checkout-1" if resource == "events" else AGENT) in text


def test_logs_of_an_unreachable_node_are_an_error_in_words(runtime: Runtime, cluster: Cluster) -> None:
    """The server allows it and cannot get through: the agent is told, and does not wait."""
    lost = {**POD, "metadata": HEAD | {"name": "lost-1"}, "spec": SPEC | {"nodeName": "elsewhere"}}
    cluster.client.create(lost)
    try:
        text, is_error = read(runtime, cluster, "kubectl-logs", pod="lost-1")
    finally:
        cluster.client.request("DELETE", cluster.client.path(lost), params={"gracePeriodSeconds": "0"})
    assert is_error
    assert "elsewhere" in text
    assert "forbidden" not in text


def test_a_pod_that_is_not_there_is_an_error_in_words(runtime: Runtime, cluster: Cluster) -> None:
    """The server's own."""
    text, is_error = read(runtime, cluster, "kubectl-describe", resource="pod", name="nobody")
    assert (text, is_error) == ('404: pods "nobody" not found', True)


@pytest.mark.usefixtures("runtime")
def test_the_token_opens_nothing_else(cluster: Cluster) -> None:
    """What the runtime would refuse by itself, the server refuses too."""
    with cluster.plane.as_account(NAMESPACE, AGENT) as account:
        assert account.list("v1", "Pod", NAMESPACE)
        for api_version, kind, namespace in (
            ("v1", "Secret", NAMESPACE),
            ("v1", "Pod", "kube-system"),
            ("v1", "Node", None),
        ):
            with pytest.raises(ApiError, match=r"403: .* is forbidden"):
                account.list(api_version, kind, namespace)
        with pytest.raises(ApiError, match=r"403: .* is forbidden"):
            account.delete(POD)
