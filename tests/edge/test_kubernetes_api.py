"""The Kubernetes API stand-in, driven by the official client."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import kubernetes
import pytest

from tests.edge.certificate import loopback_certificate
from tests.edge.kubernetes_api import KubernetesApi, plural

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web-1", "namespace": "shop", "labels": {"app": "web"}},
    "spec": {"containers": [{"name": "web", "image": "web:1"}]},
    "status": {"phase": "Running"},
}
OTHER = {**POD, "metadata": {"name": "db-1", "namespace": "shop", "labels": {"app": "db"}}}
READ_PODS = {
    "kind": "Role",
    "metadata": {"name": "reader", "namespace": "shop"},
    "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}],
}


@contextmanager
def served(token: str = "t", **options: Any) -> Iterator[tuple[KubernetesApi, Any]]:
    """Yield an API server holding two pods and an official client that sends `token`."""
    with KubernetesApi([POD, OTHER], logs={"web-1": "one\ntwo\n"}, token="t", **options) as server:
        configuration = kubernetes.client.Configuration(host=server.origin)
        configuration.api_key = {"authorization": f"Bearer {token}"}
        if "tls" in options:
            configuration.ssl_ca_cert = str(options["tls"][0])
        with kubernetes.client.ApiClient(configuration) as client:
            yield server, kubernetes.client.CoreV1Api(client)


def test_objects_are_listed_selected_and_read() -> None:
    with served() as (server, pods):
        assert [pod.metadata.name for pod in pods.list_namespaced_pod("shop").items] == ["web-1", "db-1"]
        selected = pods.list_pod_for_all_namespaces(label_selector="app=web").items
        assert [pod.metadata.name for pod in selected] == ["web-1"]
        assert pods.list_namespaced_pod("elsewhere").items == []
        assert pods.read_namespaced_pod("web-1", "shop").status.phase == "Running"
        with pytest.raises(kubernetes.client.ApiException, match="NotFound"):
            pods.read_namespaced_pod("web-9", "shop")
    assert [request.verb for request in server.requests] == ["list", "list", "list", "get", "get"]


def test_logs_are_tailed() -> None:
    with served() as (_, pods):
        assert pods.read_namespaced_pod_log("web-1", "shop") == "one\ntwo\n"
        assert pods.read_namespaced_pod_log("web-1", "shop", tail_lines=1) == "two\n"


def test_a_table_is_served_to_those_who_ask() -> None:
    headers = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io", "Authorization": "Bearer t"}
    with served() as (server, _):
        request = urllib.request.Request(f"{server.origin}/api/v1/namespaces/shop/pods", headers=headers)
        with urllib.request.urlopen(request) as answer:
            table = json.load(answer)
    assert table["kind"] == "Table"
    assert [row["cells"] for row in table["rows"]] == [["web-1", "Running"], ["db-1", "Running"]]


def test_a_wrong_token_is_unauthorized() -> None:
    with (
        served(token="wrong") as (_, pods),
        pytest.raises(kubernetes.client.ApiException, match="Unauthorized"),
    ):
        pods.list_namespaced_pod("shop")


def test_roles_are_enforced() -> None:
    with served(roles=[READ_PODS]) as (_, pods):
        assert len(pods.list_namespaced_pod("shop").items) == 2
        for forbidden in (pods.list_namespaced_secret, pods.list_namespaced_config_map):
            with pytest.raises(kubernetes.client.ApiException, match="is forbidden"):
                forbidden("shop")
        with pytest.raises(kubernetes.client.ApiException, match="pods/log is forbidden"):
            pods.read_namespaced_pod_log("web-1", "shop")
        with pytest.raises(kubernetes.client.ApiException, match="is forbidden"):
            pods.list_pod_for_all_namespaces()
    with served(roles=[{**READ_PODS, "kind": "ClusterRole"}]) as (_, pods):
        assert len(pods.list_pod_for_all_namespaces().items) == 2


def test_tls_is_spoken_with_a_certificate_the_client_verifies(tmp_path: Path) -> None:
    with served(tls=loopback_certificate(tmp_path)) as (server, pods):
        assert server.origin.startswith("https://127.0.0.1:")
        assert pods.read_namespaced_pod("web-1", "shop").metadata.name == "web-1"


@pytest.mark.parametrize(
    ("kind", "resource"),
    [
        ("Pod", "pods"),
        ("Ingress", "ingresses"),
        ("NetworkPolicy", "networkpolicies"),
        ("Endpoints", "endpoints"),
    ],
)
def test_kinds_have_plurals(kind: str, resource: str) -> None:
    assert plural(kind) == resource
