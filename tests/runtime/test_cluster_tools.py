"""What an agent reads of a cluster, over the Kubernetes wire format, as it reaches the model."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from tests.edge.kubernetes_api import KubernetesApi
from tests.edge.model_server import ModelServer
from tests.runtime.configs import agent, runtime_config, tools
from tests.runtime.process import Runtime
from tests.runtime.puppet import puppet, task
from tests.runtime.surroundings import kubeconfig

SECRET = "correct horse battery staple"
ENCODED = base64.b64encode(SECRET.encode()).decode()


def _object(kind: str, name: str, version: str = "v1", **more: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "managedFields": [{"manager": "kubectl"}]}
    if kind != "Node":
        metadata["namespace"] = "ai-agents"
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **more}


def _secret() -> dict[str, Any]:
    secret = _object("Secret", "db", type="Opaque", data={"password": ENCODED}, stringData={"plain": SECRET})
    applied = f'{{"stringData": {{"plain": "{SECRET}"}}}}'
    secret["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": applied}
    return secret


POD = _object(
    "Pod",
    "checkout-1",
    spec={"nodeName": "node-1", "containers": [{"name": "app", "image": "shop:2"}]},
    status={
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}],
        "containerStatuses": [
            {
                "name": "app",
                "ready": False,
                "restartCount": 7,
                "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}},
            }
        ],
    },
)
EVENT = _object(
    "Event",
    "checkout-1.1",
    involvedObject={"kind": "Pod", "name": "checkout-1"},
    type="Warning",
    reason="BackOff",
    message="Back-off restarting failed container",
    lastTimestamp="2026-01-01T00:00:00Z",
    count=7,
)
LARGE = _object("ConfigMap", "large", data={"text": "x" * 20_000})
LOG = "".join(f"line {number}\n" for number in range(300))
OBJECTS = [POD, EVENT, LARGE, _secret(), _object("Node", "node-1", status={"phase": "Ready"})]


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    folder = tmp_path_factory.mktemp("runtime")
    with ModelServer(puppet()) as model, KubernetesApi(OBJECTS, logs={"checkout-1": LOG}) as cluster:
        config = runtime_config(agent("solo", model.base_url, workbench=tools("get", "describe", "logs")))
        environment = {"KUBECONFIG": kubeconfig(folder, cluster.origin), "POD_NAMESPACE": "ai-agents"}
        with Runtime(config, folder, "--cluster", "kubeconfig", **environment) as process:
            yield process


def read(runtime: Runtime, operation: str, **arguments: Any) -> tuple[str, bool]:
    """What the tool answers, and whether as an error."""
    call = {"name": f"kubectl-{operation}", "arguments": arguments}
    events = runtime.ask(runtime.new_session(), task(solo=[{"tool_calls": [call]}, {"text": "ok"}]))
    (result,) = [event for event in events if event["type"] == "tool.result"]
    return result["content"], result["isError"]


def test_a_list_is_a_table(runtime: Runtime) -> None:
    """Columns aligned as kubectl does."""
    assert read(runtime, "get", resource="po") == ("NAME         STATUS\ncheckout-1   Running", False)


def test_nothing_found_is_said(runtime: Runtime) -> None:
    """An empty table would tell a model nothing."""
    text, is_error = read(runtime, "get", resource="deployments.apps")
    assert (text, is_error) == ("No deployments found in namespace ai-agents.", False)


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("get", {"resource": "secrets", "output": "yaml"}),
        ("get", {"resource": "secret", "name": "db", "output": "yaml"}),
        ("get", {"resource": "Secret"}),
        ("describe", {"resource": "secrets", "name": "db"}),
    ],
)
def test_no_way_to_read_a_secret_shows_its_value(runtime: Runtime, operation: str, arguments: dict[str, str]) -> None:
    """Neither encoded, nor in the annotation that kubectl leaves, nor as part of a list."""
    text, is_error = read(runtime, operation, **arguments)
    assert not is_error
    assert "db" in text
    assert SECRET not in text
    assert ENCODED not in text
    assert "managedFields" not in text


def test_a_description_leads_with_what_is_wrong(runtime: Runtime) -> None:
    """Conditions, the state of the containers, and the events."""
    text, is_error = read(runtime, "describe", resource="pod", name="checkout-1")
    assert not is_error
    for shown in (
        "Name:         checkout-1",
        "ContainersNotReady",
        "ready: False, restarts: 7",
        "state: waiting (reason CrashLoopBackOff)",
        "last state: terminated (exitCode 1, reason Error)",
        "image: shop:2",
        "nodeName: node-1",
        "Back-off restarting failed container",
    ):
        assert shown in text
    assert "managedFields" not in text


def test_an_object_without_a_namespace_is_described(runtime: Runtime) -> None:
    """Its events are elsewhere, which is no reason to say nothing."""
    text, is_error = read(runtime, "describe", resource="node", name="node-1")
    assert not is_error
    assert "phase: Ready" in text
    assert "not granted" in text


def test_logs_are_the_last_lines(runtime: Runtime) -> None:
    """As many as asked for, 200 unless told."""
    assert read(runtime, "logs", pod="checkout-1", tailLines=2) == ("line 298\nline 299\n", False)
    text, _ = read(runtime, "logs", pod="checkout-1")
    assert text.splitlines()[0] == "line 100"


def test_a_large_answer_is_cut_and_says_so(runtime: Runtime) -> None:
    """A model must not take a part for the whole."""
    text, is_error = read(runtime, "get", resource="cm", name="large", output="yaml")
    assert not is_error
    assert len(text.encode()) < 4_300
    assert "bytes left out" in text


@pytest.mark.parametrize(
    ("operation", "arguments", "message"),
    [
        ("get", {"resource": "pods", "name": "gone"}, '404: pods "gone" not found'),
        ("logs", {"pod": "gone"}, '404: pods "gone" not found'),
        ("get", {"resource": "ingresses"}, "`ingresses` is not granted"),
        ("get", {"resource": "pods", "namespace": "kube-system"}, "namespace `kube-system` is not granted"),
        ("logs", {"pod": "checkout-1", "tailLines": -1}, "`-1` is not a positive number"),
        ("describe", {"resource": "pods"}, "`name` is required"),
    ],
)
def test_what_fails_tells_the_model_why(
    runtime: Runtime, operation: str, arguments: dict[str, Any], message: str
) -> None:
    """In words it can act on."""
    text, is_error = read(runtime, operation, **arguments)
    assert is_error
    assert message in text
