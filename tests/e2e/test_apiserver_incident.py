"""An incident from its beginning to its end: a Deployment fails, a team finds out why, a person approves, it runs.

Real: the API server, its controllers and scheduler, RBAC, events; kwok plays the kubelet, its logs included. The model
is a script, which goes by what the tools answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cluster import Cluster, is_true, manifests
from tests.e2e.pod import wait_for
from tests.e2e.test_apiserver_changes import asked
from tests.e2e.test_apiserver_tools import SECURITY
from tests.edge.model_server import ModelRequest, ModelServer
from tests.edge.script import Step
from tests.harness import CASES
from tests.runtime.process import Runtime

NAMESPACE, TEAM, SHOP = "ops", "mending", "shop"
ANN = "canary-ann-0123456789abcdef"
CONTAINER: dict[str, Any] = {"name": "needs-database", "image": "shop:2", "securityContext": SECURITY}
CHECKOUT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "checkout", "namespace": SHOP},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "checkout"}},
        "template": {"metadata": {"labels": {"app": "checkout"}}, "spec": {"containers": [CONTAINER]}},
    },
}
CAUSE = "The cause, by its log:"
LOG = (
    "2026-11-23T10:00:00.000000000Z stderr F KeyError: 'DATABASE_URL is not set; expected postgres://db.shop/orders'\n"
)


def think(request: ModelRequest) -> Step:
    """The next step of whoever is asked, from what the tools have answered."""
    answers = [str(message["content"]) for message in request.messages if message["role"] == "tool"]
    if "You diagnose" in request.system:
        return _diagnose(answers, is_told=CAUSE in json.dumps(request.messages))
    return _mend([answer for answer in answers if "Transferred" not in answer and "handed" not in answer], request)


def _diagnose(answers: list[str], *, is_told: bool) -> Step:
    if not answers:
        return _call("shop-get", resource="pods", labelSelector="app=checkout")
    (pod, *_) = re.findall(r"^(checkout-\S+) .*CrashLoopBackOff", answers[0], re.MULTILINE)
    if len(answers) == 1:
        return _call("shop-events", type="Warning", kind="Pod", name=pod)
    if len(answers) == 2:
        assert "Back-off restarting failed container" in answers[1]
        return _call("shop-logs", pod=pod)
    if not is_told:
        return Step(text=f"{CAUSE} {answers[2].strip()}")
    return Step(tool_calls=[{"name": "transfer_to_remedy", "arguments": {}}])


def _mend(answers: list[str], request: ModelRequest) -> Step:
    conversation = json.dumps(request.messages)
    if not any("configured" in answer for answer in answers):
        (address,) = set(re.findall(r"expected (postgres://[^'\"\\]+)", conversation))
        container = {"name": "needs-database", "env": [{"name": "DATABASE_URL", "value": address}]}
        wanted = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": CHECKOUT["metadata"]}
        spec = {"template": {"spec": {"containers": [container]}}}
        return _call("shop-apply", manifest=json.dumps(wanted | {"spec": spec}))
    if "configured" in answers[-1] or "in progress" in answers[-1]:
        # It thinks for a while, as a model does: its turn has a limited number of calls.
        return _call("shop-rollout", sleep=3, resource="deployments", name="checkout")
    return Step(text="MENDED: the checkout had no DATABASE_URL.")


def _call(tool: str, sleep: float = 0, **arguments: str) -> Step:
    return Step(tool_calls=[{"name": tool, "arguments": arguments}], sleep=sleep)


@pytest.fixture(scope="module")
def shop(cluster_with_nodes: Cluster, node: None) -> Iterator[Cluster]:
    """A node, and the checkout that fails on it."""
    cluster = cluster_with_nodes
    cluster.plane.pod_logs.write_text(LOG, encoding="utf-8")
    cluster.prepare([CHECKOUT])
    cluster.client.apply(CHECKOUT, manager="developer")
    wait_for(lambda: "CrashLoopBackOff" in cluster.kubectl("get", "pods", "-n", SHOP), 60)
    yield cluster
    cluster.client.delete(CHECKOUT)


@pytest.fixture
def runtime(shop: Cluster, tmp_path: Path) -> Iterator[Runtime]:
    """The team by its rendered ConfigMap, as its ServiceAccount, for people with tokens."""
    found = manifests(CASES / "build" / "incident" / "expected")
    config = next(json.loads(one.item["data"]["runtime.json"]) for one in found if one.item["kind"] == "ConfigMap")
    (tmp_path / "tokens").write_text(f"ann:{ANN}\n")
    with shop.holding(found) as refusals, ModelServer(think) as model:
        assert refusals == []
        kubeconfig = tmp_path / "account.kubeconfig"
        shop.plane.write_kubeconfig(kubeconfig, shop.plane.token(NAMESPACE, TEAM))
        environment = {
            "KUBECONFIG": str(kubeconfig),
            "POD_NAMESPACE": NAMESPACE,
            "KAGENT_MODEL_BASE_URL": model.base_url,
            "KAGENT_AUTH": "bearer",
            "KAGENT_AUTH_TOKENS_FILE": str(tmp_path / "tokens"),
        }
        with Runtime(config, tmp_path / "state", "--cluster", "kubeconfig", **environment) as process:
            process.client.headers["Authorization"] = f"Bearer {ANN}"
            yield process


def test_an_incident_is_diagnosed_approved_and_mended(runtime: Runtime, shop: Cluster) -> None:
    """Nothing is changed before the approval, what was shown is what is done, and the audit log tells it all."""
    before = shop.client.get(CHECKOUT)
    session = runtime.new_session()
    runtime.send(session, "The checkout is down.")
    question = asked(runtime, session)
    assert question["type"] == "approval.requested", json.dumps(runtime.log(session))
    assert (question["agent"], question["name"]) == ("remedy", "shop-apply")
    assert question["preview"].startswith("change deployments.apps/checkout in namespace shop\n")
    assert "- name: DATABASE_URL" in question["preview"]
    assert "+          value: postgres://db.shop/orders" in question["preview"]
    assert shop.client.get(CHECKOUT)["spec"] == before["spec"]
    assert "CrashLoopBackOff" in shop.kubectl("get", "pods", "-n", SHOP)

    answer = runtime.client.post(
        f"/api/v1/sessions/{session}/approvals/{question['callId']}", json={"decision": "approve"}
    )
    assert answer.status_code < 300
    events = runtime.wait_finished(session, 60)
    assert events[-1]["outcome"] == "completed", json.dumps(events[-4:])
    assert [one["content"] for one in events if one["type"] == "message"][-1].startswith("MENDED")

    wait_for(lambda: is_true(shop.client.get(CHECKOUT), "Available"), 60)
    now = shop.client.get(CHECKOUT)
    (container,) = now["spec"]["template"]["spec"]["containers"]
    assert container["env"] == [{"name": "DATABASE_URL", "value": "postgres://db.shop/orders"}]
    owners = {one["manager"]: one["operation"] for one in now["metadata"]["managedFields"] if "subresource" not in one}
    assert owners["kagent-mending"] == "Apply"

    calls, (decision,) = _audited(runtime, "tool.call"), _audited(runtime, "approval.decided")
    told = [(one["agent"], one["tool"], one["outcome"]) for one in calls if one["tool"].startswith("shop-")]
    assert told[:4] == [
        ("diagnosis", "shop-get", "ok"),
        ("diagnosis", "shop-events", "ok"),
        ("diagnosis", "shop-logs", "ok"),
        ("remedy", "shop-apply", "ok"),
    ]
    assert set(told[4:]) == {("remedy", "shop-rollout", "ok")}
    (change,) = [one for one in calls if one["tool"] == "shop-apply"]
    assert (change["decision"], change["decidedBy"], change["approvedBy"]) == ("approve", "person", "token:ann")
    assert (decision["subject"], decision["callId"], decision["decision"]) == ("token:ann", change["callId"], "approve")
    assert {one["session"] for one in (*calls, decision)} == {session}
    shop.tally.count("incidents ended by a team")


def _audited(runtime: Runtime, event: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in runtime.stderr.splitlines()]
    return [line for line in lines if line["logger"] == "kagent_runtime.audit" and line["event"] == event]
