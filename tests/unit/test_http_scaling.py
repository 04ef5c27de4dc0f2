"""Scaling on HTTP requests: what is rendered besides, and for whom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kagent_render.compiler import compile_paths

PLATFORM = """
apiVersion: render.kagent.dev/v1alpha1
kind: Platform
metadata: {name: p}
spec:
  INGRESS
  httpInterceptor: {INTERCEPTOR}
  scaling: {maxReplicas: 1, triggers: [{type: http, concurrency: 10}]}
---
apiVersion: kagent.dev/v1alpha1
kind: ModelConfig
metadata: {name: m}
spec: {model: x, baseUrl: "http://m:1/v1"}
"""
AGENT = """
---
apiVersion: kagent.dev/v1alpha1
kind: Agent
metadata: {name: NAME, namespace: NAMESPACE}
spec: {description: d, systemMessage: s, modelConfigRef: {name: m}}
"""
INGRESS = "ingress: {gateway: {name: g, namespace: gateways}, domain: example.com}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for specs."""
    return tmp_path


def _objects(folder: Path, ingress: str, interceptor: str = "") -> list[dict[str, Any]]:
    agents = [("a", "one"), ("b", "one"), ("c", "two")]
    text = PLATFORM.replace("INGRESS", ingress).replace("INTERCEPTOR", interceptor)
    text += "".join(AGENT.replace("NAMESPACE", namespace).replace("NAME", name) for name, namespace in agents)
    (folder / "specs.yaml").write_text(text)
    compilation = compile_paths([str(folder)])
    # Of the warnings only that callers are not known here, which is not what this is about.
    assert {item.code for item in compilation.diagnostics.in_order()} <= {"KR590"}
    return [item.data for item in compilation.objects]


def _of(objects: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [item for item in objects if item["kind"] == kind]


def test_one_grant_for_each_namespace_of_agents(folder: Path) -> None:
    """Two agents of a namespace share it."""
    grants = _of(_objects(folder, INGRESS), "ReferenceGrant")
    assert [item["metadata"]["namespace"] for item in grants] == ["keda", "keda"]
    assert [item["spec"]["from"][0]["namespace"] for item in grants] == ["one", "two"]


@pytest.mark.parametrize(("ingress", "interceptor"), [("", ""), (INGRESS, "referenceGrant: false")])
def test_no_grant_where_none_is_needed_or_wanted(folder: Path, ingress: str, interceptor: str) -> None:
    """Without an HTTPRoute nothing crosses namespaces; and the owner of `keda` may grant by another way."""
    assert _of(_objects(folder, ingress, interceptor), "ReferenceGrant") == []


def test_the_gateway_may_not_go_past_the_interceptor(folder: Path) -> None:
    """It calls the interceptor; its own way in would only be unused and open."""
    objects = _objects(folder, INGRESS, "namespace: add-ons")
    (policy, *_) = _of(objects, "NetworkPolicy")
    assert "gateways" not in str(policy)
    assert "add-ons" in str(policy["spec"]["ingress"])
    for route in _of(objects, "HTTPRoute"):
        (backend,) = route["spec"]["rules"][0]["backendRefs"]
        assert backend["namespace"] == "add-ons"


def test_the_route_knows_every_name_that_leads_to_the_interceptor(folder: Path) -> None:
    """The proxy's names in the cluster too, and the bare one not: another namespace may have an `a`."""
    routes = _of(_objects(folder, ""), "InterceptorRoute")
    hosts = [host for item in routes for host in item["spec"]["rules"][0]["hosts"]]
    assert hosts[:3] == ["a-proxy.one", "a-proxy.one.svc", "a-proxy.one.svc.cluster.local"]
    assert len(set(hosts)) == len(hosts) == 9
