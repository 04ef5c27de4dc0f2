"""The sample cluster as the real Kubernetes client sees it."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client

from kagent_runtime.demo.sample_cluster import SampleCluster
from kagent_runtime.demo.tables import duration

NAMESPACE = "shop"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


@pytest.fixture(scope="module")
def api() -> Iterator[client.ApiClient]:
    """A client connected to a running sample cluster."""
    cluster = SampleCluster(NAMESPACE)
    configuration = client.Configuration()
    configuration.host = cluster.start()
    configuration.retries = False
    api = client.ApiClient(configuration)
    yield api
    api.rest_client.pool_manager.clear()
    cluster.stop()


# The client's models mark every field as optional; the tests read them as the API defines them.
def core_v1(api: client.ApiClient) -> Any:
    """The core API."""
    return client.CoreV1Api(api)


def apps_v1(api: client.ApiClient) -> Any:
    """The apps API."""
    return client.AppsV1Api(api)


def discovery_v1(api: client.ApiClient) -> Any:
    """The discovery API."""
    return client.DiscoveryV1Api(api)


def pods(api: client.ApiClient, **selectors: str) -> list[str]:
    """The names of the selected pods."""
    found = core_v1(api).list_namespaced_pod(NAMESPACE, **selectors)
    return [pod.metadata.name for pod in found.items]


def crashing(api: client.ApiClient) -> Any:
    """The one pod that is not ready."""
    every = core_v1(api).list_namespaced_pod(NAMESPACE).items
    (pod,) = [pod for pod in every if not pod.status.container_statuses[0].ready]
    return pod


def table(api: client.ApiClient, path: str) -> tuple[list[str], list[list[Any]]]:
    """Column names and cells of a server-side table."""
    url = f"{api.configuration.host}{path}"
    response: Any = api.call_api("GET", url, {"Accept": TABLE})
    document = json.loads(response.read())
    assert document["kind"] == "Table"
    return [column["name"] for column in document["columnDefinitions"]], [row["cells"] for row in document["rows"]]


def test_the_new_pod_of_checkout_crashes_and_the_old_one_runs(api: client.ApiClient) -> None:
    pod = crashing(api)
    assert pod.status.container_statuses[0].state.waiting.reason == "CrashLoopBackOff"
    old = [name for name in pods(api, label_selector="app=checkout") if name != pod.metadata.name]
    assert len(old) == 1
    deployment = apps_v1(api).read_namespaced_deployment("checkout", NAMESPACE)
    assert (deployment.status.ready_replicas, deployment.spec.replicas) == (1, 2)


def test_owners_exist_with_their_uid(api: client.ApiClient) -> None:
    apps = apps_v1(api)
    lists = [apps.list_namespaced_replica_set(NAMESPACE), apps.list_namespaced_deployment(NAMESPACE)]
    lists.append(apps.list_namespaced_stateful_set(NAMESPACE))
    uids = {item.metadata.uid for found in lists for item in found.items}
    for pod in core_v1(api).list_namespaced_pod(NAMESPACE).items:
        assert pod.metadata.owner_references[0].uid in uids


def test_services_select_the_pods_behind_their_endpoints(api: client.ApiClient) -> None:
    slices = discovery_v1(api).list_namespaced_endpoint_slice(NAMESPACE).items
    for service in core_v1(api).list_namespaced_service(NAMESPACE).items:
        (found,) = [s for s in slices if s.metadata.labels["kubernetes.io/service-name"] == service.metadata.name]
        selector = ",".join(f"{key}={value}" for key, value in service.spec.selector.items())
        assert sorted(e.target_ref.name for e in found.endpoints) == pods(api, label_selector=selector)


def test_the_config_map_names_a_host_that_is_no_service(api: client.ApiClient) -> None:
    core = core_v1(api)
    url = core.read_namespaced_config_map("checkout-config", NAMESPACE).data["DATABASE_URL"]
    services = [service.metadata.name for service in core.list_namespaced_service(NAMESPACE).items]
    assert f"@checkout-bd.{NAMESPACE}.svc" in url
    assert "checkout-bd" not in services
    assert "checkout-db" in services


@pytest.mark.parametrize("previous", [False, True])
def test_the_logs_of_both_instances_tell_the_cause(api: client.ApiClient, previous: bool) -> None:
    name = crashing(api).metadata.name
    text = core_v1(api).read_namespaced_pod_log(name, NAMESPACE, previous=previous, tail_lines=1)
    assert text.count("\n") == 1
    assert f"checkout-bd.{NAMESPACE}.svc.cluster.local: no such host" in text


def test_a_pod_that_never_restarted_has_no_previous_log(api: client.ApiClient) -> None:
    with pytest.raises(client.ApiException) as caught:
        core_v1(api).read_namespaced_pod_log("checkout-db-0", NAMESPACE, previous=True)
    assert caught.value.status == 400


def test_every_pod_has_a_log(api: client.ApiClient) -> None:
    for name in pods(api):
        assert core_v1(api).read_namespaced_pod_log(name, NAMESPACE)


def test_an_unknown_container_is_refused(api: client.ApiClient) -> None:
    with pytest.raises(client.ApiException) as caught:
        core_v1(api).read_namespaced_pod_log("checkout-db-0", NAMESPACE, container="sidecar")
    assert caught.value.status == 400


def test_events_are_found_by_the_object_they_are_about(api: client.ApiClient) -> None:
    core, pod = core_v1(api), crashing(api).metadata
    about = f"involvedObject.name={pod.name},involvedObject.kind=Pod,involvedObject.namespace={NAMESPACE}"
    events = core.list_namespaced_event(NAMESPACE, field_selector=about).items
    assert {"BackOff", "Unhealthy", "Scheduled"} <= {event.reason for event in events}
    assert {event.involved_object.uid for event in events} == {pod.uid}
    warnings = core.list_namespaced_event(NAMESPACE, field_selector=f"{about},type!=Normal").items
    assert {event.reason for event in warnings} == {"BackOff", "Unhealthy"}


@pytest.mark.parametrize(
    ("selectors", "count"),
    [
        ({}, 6),
        ({"label_selector": "app in (frontend, payments)"}, 3),
        ({"label_selector": "app!=frontend,pod-template-hash"}, 3),
        ({"label_selector": "!pod-template-hash"}, 1),
        ({"label_selector": "app notin (checkout)"}, 4),
        ({"field_selector": "status.phase=Failed"}, 0),
        ({"field_selector": "metadata.name=checkout-db-0,status.phase=Running"}, 1),
    ],
)
def test_selectors(api: client.ApiClient, selectors: dict[str, str], count: int) -> None:
    assert len(pods(api, **selectors)) == count


@pytest.mark.parametrize("selectors", [{"label_selector": "app in"}, {"field_selector": "spec.colour=red"}])
def test_a_selector_that_makes_no_sense_is_refused(api: client.ApiClient, selectors: dict[str, str]) -> None:
    with pytest.raises(client.ApiException) as caught:
        pods(api, **selectors)
    assert caught.value.status == 400


def test_pods_as_a_table(api: client.ApiClient) -> None:
    columns, rows = table(api, f"/api/v1/namespaces/{NAMESPACE}/pods")
    assert columns[:5] == ["Name", "Ready", "Status", "Restarts", "Age"]
    assert [row[1:5] for row in rows if row[2] != "Running"] == [["0/1", "CrashLoopBackOff", "7 (95s ago)", "14m"]]


def test_one_object_as_a_table(api: client.ApiClient) -> None:
    columns, rows = table(api, f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/checkout")
    assert dict(zip(columns, rows[0], strict=True)) == {
        "Name": "checkout",
        "Ready": "1/2",
        "Up-to-date": 1,
        "Available": 1,
        "Age": "41d",
    }


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/{}/events",
        "/api/v1/{}/services",
        "/api/v1/{}/configmaps",
        "/apis/apps/v1/{}/replicasets",
        "/apis/apps/v1/{}/statefulsets",
        "/apis/discovery.k8s.io/v1/{}/endpointslices",
    ],
)
def test_every_recorded_resource_has_a_table_without_empty_cells(api: client.ApiClient, path: str) -> None:
    columns, rows = table(api, path.format(f"namespaces/{NAMESPACE}"))
    assert rows
    assert all(len(row) == len(columns) and "" not in row for row in rows)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/namespaces/{}/persistentvolumeclaims",
        "/apis/batch/v1/namespaces/{}/jobs",
        "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
        "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers",
        "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
        "/apis/apps/v1/namespaces/{}/daemonsets",
    ],
)
def test_what_is_not_recorded_is_an_empty_list(api: client.ApiClient, path: str) -> None:
    with urllib.request.urlopen(api.configuration.host + path.format(NAMESPACE)) as response:
        document = json.load(response)
    assert document["items"] == []
    assert document["kind"].endswith("List")


def test_lists_across_namespaces_and_of_another_namespace(api: client.ApiClient) -> None:
    core = core_v1(api)
    assert len(core.list_pod_for_all_namespaces().items) == len(pods(api))
    assert core.list_namespaced_pod("other").items == []
    assert [item.metadata.name for item in core.list_namespace().items] == [NAMESPACE]


def test_an_absent_object_is_404_in_the_wire_format(api: client.ApiClient) -> None:
    with pytest.raises(client.ApiException) as caught:
        apps_v1(api).read_namespaced_deployment("nope", NAMESPACE)
    status = json.loads(caught.value.body or "")
    assert (status["kind"], status["reason"], status["code"]) == ("Status", "NotFound", 404)
    assert status["message"] == 'deployments.apps "nope" not found'


def test_an_unknown_resource_is_404(api: client.ApiClient) -> None:
    with pytest.raises(client.ApiException) as caught:
        client.CustomObjectsApi(api).list_cluster_custom_object("example.com", "v1", "widgets")
    assert caught.value.status == 404


def test_secrets_are_not_part_of_the_sample(api: client.ApiClient) -> None:
    with pytest.raises(client.ApiException) as caught:
        core_v1(api).list_namespaced_secret(NAMESPACE)
    assert caught.value.status == 404


def test_writing_is_refused(api: client.ApiClient) -> None:
    core = core_v1(api)
    with pytest.raises(client.ApiException) as created:
        core.create_namespaced_config_map(NAMESPACE, {"metadata": {"name": "x"}})
    with pytest.raises(client.ApiException) as deleted:
        core.delete_namespaced_pod("checkout-db-0", NAMESPACE)
    assert (created.value.status, deleted.value.status) == (405, 405)
    assert json.loads(created.value.body or "")["reason"] == "MethodNotAllowed"
    assert "checkout-db-0" in pods(api)


def test_a_stopped_cluster_can_be_started_again() -> None:
    cluster = SampleCluster(NAMESPACE)
    for _ in range(2):
        with urllib.request.urlopen(f"{cluster.start()}/api/v1/namespaces/{NAMESPACE}/pods") as response:
            assert response.status == 200
        cluster.stop()
    cluster.stop()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(95, "95s"), (310, "5m10s"), (860, "14m"), (4 * 3600 + 60, "4h1m"), (90_000, "25h"), (183 * 1000, "2d2h")],
)
def test_ages_are_printed_as_kubectl_does(seconds: int, text: str) -> None:
    assert duration(seconds) == text
