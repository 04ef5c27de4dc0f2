"""Helm tools over releases in the format that Helm stores, behind the Role that was rendered."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from kagent_runtime.components import cluster
from kagent_runtime.components.helm_tools import HelmTools
from kagent_runtime.model.helm_tools import HelmToolsConfig
from tests.edge.kubernetes_api import KubernetesApi

MANIFEST = """---
# Source: shop/templates/secret.yaml
apiVersion: v1
kind: Secret
metadata: {name: shop-db}
data: {password: aHVudGVyMg==}
stringData: {url: "postgres://shop:hunter2@db/shop"}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {ports: [{port: 80}]}
"""


def _secret(
    name: str, revision: int, status: str, *, packed: bool = True, namespace: str = "shop", **changed: Any
) -> dict[str, Any]:
    release = {
        "name": name,
        "version": revision,
        "namespace": namespace,
        "info": {
            "status": status,
            "first_deployed": "2026-11-01T08:00:00.123Z",
            "last_deployed": f"2026-11-0{revision}T09:00:00.456Z",
            "description": "Upgrade complete",
            "notes": "The admin password is hunter2",
        },
        "chart": {"metadata": {"name": "shop", "version": f"1.{revision}.0"}},
        "config": {"replicas": revision, "db": {"password": "hunter2", "host": "db"}, "apiToken": "abc", "secrets": []},
        "manifest": MANIFEST,
    } | changed
    raw = json.dumps(release).encode()
    inner = base64.b64encode(gzip.compress(raw) if packed else raw)
    labels = {"owner": "helm", "name": name, "status": status, "version": str(revision)}
    metadata = {"name": f"sh.helm.release.v1.{name}.v{revision}", "namespace": namespace, "labels": labels}
    data = {"release": base64.b64encode(inner).decode()}
    return {"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1", "metadata": metadata, "data": data}


OTHER = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "shop-db", "namespace": "shop"},
    "data": {"release": "aHVudGVyMg=="},
}
RELEASES = [
    _secret("shop", 1, "superseded", packed=False),
    _secret("shop", 2, "deployed"),
    _secret("search", 1, "failed"),
    OTHER,
]
ROLE = {
    "kind": "Role",
    "metadata": {"namespace": "shop"},
    "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}],
}


@pytest.fixture
def api() -> Iterator[KubernetesApi]:
    """An API server that grants what is rendered for the namespace `shop`, and nothing else."""
    with KubernetesApi(RELEASES, roles=[ROLE]) as server:
        cluster.CONNECTION.mode, cluster.CONNECTION.sample_url = "sample", server.origin
        cluster.CONNECTION.namespace = "shop"
        cluster._client.cache_clear()
        yield server
        cluster._client().rest_client.pool_manager.clear()


async def _call(operation: str, namespaces: list[str] | None = None, **arguments: Any) -> tuple[str, bool]:
    properties = {name: {"type": "string", "description": name} for name in ("release", "namespace", "filter")}
    properties |= {name: {"type": "integer", "description": name} for name in ("revision", "from", "to")}
    parameters = {"type": "object", "properties": properties, "required": [], "additionalProperties": False}
    tool: dict[str, Any] = {"name": "t", "operation": operation, "description": "d", "parameters": parameters}
    tool |= {"namespaces": namespaces or [], "timeout_seconds": 5.0, "max_bytes": 65536}
    bench = HelmTools(HelmToolsConfig.model_validate({"tools": [tool]}))
    result = await bench.call_tool("t", arguments)
    return result.to_text(), bool(result.is_error)


async def test_releases_are_listed_once_by_their_newest_revision(api: KubernetesApi) -> None:
    """As `helm list` shows them; a Secret of somebody else's is not one."""
    text, is_error = await _call("list")
    assert not is_error
    assert text.splitlines() == [
        "NAME    NAMESPACE  REVISION  STATUS    CHART       UPDATED",
        "search  shop       1         failed    shop-1.1.0  2026-11-01T09:00:00",
        "shop    shop       2         deployed  shop-1.2.0  2026-11-02T09:00:00",
    ]
    assert (await _call("list", filter="sea"))[0].count("\n") == 1


async def test_history_and_status(api: KubernetesApi) -> None:
    """Old releases are not compressed; notes are left out, since charts put passwords there."""
    text, _ = await _call("history", release="shop")
    assert [line.split()[:2] for line in text.splitlines()[1:]] == [["1", "superseded"], ["2", "deployed"]]
    text, _ = await _call("status", release="shop", revision=1)
    assert "Status: superseded" in text
    assert "hunter2" not in text


async def test_credentials_are_masked(api: KubernetesApi) -> None:
    """In values by the names of the keys, in manifests whatever a Secret holds."""
    values, _ = await _call("values", release="shop")
    assert "hunter2" not in values
    assert "abc" not in values
    assert "password: '[masked]'" in values
    assert "host: db" in values
    manifest, _ = await _call("manifest", release="shop")
    assert "hunter2" not in manifest
    assert "aHVudGVyMg" not in manifest
    assert "name: shop-db" in manifest
    assert "kind: Service" in manifest


NEXT = """---
apiVersion: v1
kind: Secret
metadata: {name: shop-db}
data: {password: c3dvcmRmaXNo}
stringData: {url: "postgres://shop:hunter2@db/shop"}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {ports: [{port: 8080}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: shop-settings}
data: {level: debug}
"""
HOOK = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate}\nspec: {completions: %d}\n"
HISTORY = [
    _secret("shop", 1, "superseded", manifest=MANIFEST + "---\nkind: Ingress\nmetadata: {name: shop}\n"),
    _secret("shop", 2, "superseded", hooks=[{"name": "migrate", "kind": "Job", "manifest": HOOK % 1}]),
    _secret(
        "shop",
        3,
        "deployed",
        manifest=NEXT,
        hooks=[{"name": "migrate", "kind": "Job", "manifest": HOOK % 2}],
        config={
            "replicas": 2,
            "db": {"password": "swordfish", "host": "db"},
            "apiToken": "abc",
            "users": [{"token": "x"}],
        },
    ),
]


async def test_a_diff_tells_what_an_upgrade_changed(api: KubernetesApi) -> None:
    """Of the newest revision and the one before: first all that changed, then how; no credential of either."""
    api._objects = HISTORY
    text, is_error = await _call("diff", release="shop")
    assert not is_error, text
    assert text.splitlines()[:9] == [
        "release shop in namespace shop: revision 2 to 3",
        "revision 2: shop-1.2.0, superseded, 2026-11-02T09:00:00",
        "revision 3: shop-1.3.0, deployed, 2026-11-03T09:00:00",
        "Values: changed",
        "Objects: 1 added, 0 removed, 3 changed",
        "  + ConfigMap/shop-settings",
        "  ~ Secret/shop-db",
        "  ~ Service/shop",
        "  ~ hook Job/migrate",
    ]
    assert "-  password: '[masked]'\n+  password: '[masked, changed]'" in text
    assert "\n apiToken: '[masked]'" in text
    assert "+- token: '[masked]'" in text
    assert "-  - port: 80\n+  - port: 8080" in text
    assert "+  level: debug" in text
    for secret in ("hunter2", "swordfish", "abc", "aHVudGVyMg", "c3dvcmRmaXNo"):
        assert secret not in text


async def test_any_two_revisions_can_be_compared(api: KubernetesApi) -> None:
    """In either direction; one that is not stored is named with those that are."""
    api._objects = HISTORY
    backwards: dict[str, Any] = {"from": 3, "to": 1}
    text, _ = await _call("diff", release="shop", **backwards)
    assert "revision 3 to 1" in text
    assert "  + Ingress/shop\n" in text
    assert "  - ConfigMap/shop-settings\n" in text
    assert "  - hook Job/migrate\n" in text
    text, _ = await _call("diff", release="shop", to=2)
    assert "revision 1 to 2" in text
    assert "  - Ingress/shop" in text


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"release": "shop", "to": 9}, "there is no revision 9 of the release `shop` in shop; stored are: 1, 2, 3"),
        ({"release": "shop", "to": 1}, "no revision before 1 of `shop` is stored"),
        ({"release": "shop", "from": 3}, "`from` and `to` are both revision 3"),
        ({"release": "nothing"}, "there is no release `nothing`"),
    ],
)
async def test_what_cannot_be_compared_is_said_in_words(
    api: KubernetesApi, arguments: dict[str, Any], problem: str
) -> None:
    """For a model to act on."""
    api._objects = HISTORY
    text, is_error = await _call("diff", **arguments)
    assert (is_error, problem in text) == (True, True), text


async def test_releases_of_two_namespaces_are_not_compared(api: KubernetesApi) -> None:
    """They only have the same name."""
    api._objects, api._roles = [*HISTORY, _secret("shop", 1, "deployed", namespace="other")], None
    text, is_error = await _call("diff", ["*"], release="shop")
    assert (is_error, text) == (True, "there are releases of that name in other, shop: `namespace` must name one")
    assert (await _call("diff", ["*"], release="shop", namespace="shop"))[0].startswith(
        "release shop in namespace shop"
    )


async def test_a_diff_without_a_difference_says_so(api: KubernetesApi) -> None:
    """An upgrade to the same chart and values."""
    api._objects = [_secret("shop", number, "superseded", config={}) for number in (1, 2)]
    text, _ = await _call("diff", release="shop")
    assert text.splitlines()[3:] == ["Values: no changes", "Objects: 0 added, 0 removed, 0 changed"]


@pytest.mark.parametrize(
    ("operation", "arguments", "problem"),
    [
        ("status", {"release": "nothing"}, "there is no release `nothing` in shop"),
        ("status", {"release": "shop", "revision": 9}, "there is no revision 9 of the release `shop`"),
        ("history", {"release": "nothing"}, "there is no release `nothing`"),
        ("status", {"release": "a,owner!=helm"}, "is not the name of a release"),
        ("list", {"namespace": "kube-system"}, "namespace `kube-system` is not granted; granted: shop"),
    ],
)
async def test_what_is_wrong_is_said_in_words(
    api: KubernetesApi, operation: str, arguments: dict[str, Any], problem: str
) -> None:
    """For a model to act on; nothing is asked that was not granted."""
    text, is_error = await _call(operation, **arguments)
    assert (is_error, problem in text) == (True, True), text


async def test_what_rbac_refuses_is_said_too(api: KubernetesApi) -> None:
    """All namespaces, where the Role is for one."""
    text, is_error = await _call("list", ["*"])
    assert (is_error, "403" in text) == (True, True)
