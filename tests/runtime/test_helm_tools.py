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


def _secret(name: str, revision: int, status: str, *, packed: bool = True, namespace: str = "shop") -> dict[str, Any]:
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
    }
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
    properties["revision"] = {"type": "integer", "description": "revision"}
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
