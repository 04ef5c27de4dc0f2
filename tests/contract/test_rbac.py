"""The rendered Role is exactly what the tools ask the API server for: nothing missing, nothing extra."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kagent_render.catalog.kubernetes_resources import RESOURCES, Resource
from kagent_render.compiler import compile_paths
from kagent_render.lower import Workload
from kagent_runtime.components import cluster
from kagent_runtime.components.kubernetes_operations import ArgumentError, run
from kagent_runtime.components.resources import find, granted
from kagent_runtime.model import KubernetesTool
from tests.edge.kubernetes_api import KubernetesApi

KINDS = {item.resource: item.kind for item in RESOURCES}
SPECS = """
apiVersion: kagent.dev/v1alpha1
kind: ModelConfig
metadata: {name: m}
spec: {model: x, baseUrl: "http://m:1/v1"}
---
apiVersion: kagent.dev/v1alpha1
kind: Agent
metadata: {name: a, namespace: home}
spec: {description: d, systemMessage: s, modelConfigRef: {name: m}, tools: TOOLS}
---
apiVersion: kagent.dev/v1alpha1
kind: Tool
metadata: {name: read-some}
spec:
  type: kubernetes
  description: d
  kubernetes: {operation: get, resources: [pods, deploy, nodes], namespaces: [home, shop]}
---
apiVersion: kagent.dev/v1alpha1
kind: Tool
metadata: {name: describe-some}
spec:
  type: kubernetes
  description: d
  kubernetes: {operation: describe, resources: [secrets, applications.v1alpha1.argoproj.io], namespaces: [shop]}
---
apiVersion: kagent.dev/v1alpha1
kind: Tool
metadata: {name: logs-everywhere}
spec:
  type: kubernetes
  description: d
  kubernetes: {operation: logs, namespaces: ["*"]}
"""
NODES = """
---
apiVersion: kagent.dev/v1alpha1
kind: Tool
metadata: {name: describe-nodes}
spec:
  type: kubernetes
  description: d
  kubernetes: {operation: describe, resources: [nodes]}
"""
SPECS += NODES + NODES.replace("-nodes", "-all").replace("[nodes]", '[nodes, pods], namespaces: ["*"]')
TOOLS = [
    "describe-nodes",
    "describe-all",
    "kubectl-get",
    "kubectl-describe",
    "kubectl-logs",
    "read-some",
    "describe-some",
    "logs-everywhere",
]


class NotFound(Exception):
    """The object is not there, which is no matter of permission."""


CLOSED = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
Access = tuple[str, str, str, str]


def _workload(folder: Path, tools: list[str]) -> tuple[Workload, list[dict[str, Any]]]:
    (folder / "specs.yaml").write_text(
        SPECS.replace("TOOLS", str([{"name": name} for name in tools]).replace("'", '"'))
    )
    compilation = compile_paths([str(folder)])
    assert not compilation.diagnostics.has_errors, compilation.diagnostics.in_order()
    roles = [item.data for item in compilation.objects if item.data["kind"] in ("Role", "ClusterRole")]
    return compilation.workloads[0], roles


def _granted(roles: list[dict[str, Any]]) -> set[Access]:
    granted = set()
    for role in roles:
        namespace = role["metadata"].get("namespace", "*")
        for rule in role["rules"]:
            for group, resource, verb in itertools.product(rule["apiGroups"], rule["resources"], rule["verbs"]):
                granted.add((namespace, group, resource, verb))
    return granted


def _calls(tool: KubernetesTool) -> Iterator[dict[str, str]]:
    """Every kind of call a model can make of a tool."""
    for namespace in tool.namespaces or ["home"]:
        if tool.operation == "logs":
            yield {"pod": "p", "namespace": "any" if namespace == "*" else namespace}
            continue
        for resource in granted(tool):
            yield {"resource": resource.resource, "name": "x", "namespace": namespace}
            if tool.operation == "get":
                yield {"resource": resource.resource, "namespace": namespace}


def _requested(workload: Workload) -> set[Access]:
    asked: set[Access] = set()
    tools = [KubernetesTool.model_validate(t) for w in _workbenches(workload) for t in w["config"]["tools"]]
    with KubernetesApi([]) as api:
        cluster.CONNECTION.mode, cluster.CONNECTION.sample_url = "sample", api.origin
        cluster.CONNECTION.namespace = "home"
        cluster._client.cache_clear()
        for tool in tools:
            for arguments in _calls(tool):
                _answer_everything(api, tool, arguments)
        cluster._client().rest_client.pool_manager.clear()
        for request in api.requests:
            scope = request.namespace if request.namespace not in ("", "any") else "*"
            asked.add((scope or "*", request.group, request.resource, request.verb))
    return asked


def _answer_everything(api: KubernetesApi, tool: KubernetesTool, arguments: dict[str, str]) -> None:
    chosen = next((r for r in granted(tool) if r.resource == arguments.get("resource")), None)
    if chosen:  # so that `describe` gets as far as its second request
        version = f"{chosen.group}/{chosen.version}" if chosen.group else chosen.version
        metadata = {"name": "x", "namespace": arguments["namespace"]} if chosen.namespaced else {"name": "x"}
        api._objects = [
            {"apiVersion": version, "kind": KINDS.get(chosen.resource, "Application"), "metadata": metadata}
        ]
    with contextlib.suppress(NotFound):
        try:
            run(tool, arguments, 5)
        except cluster.ClusterError as error:
            raise (NotFound if error.status == 404 else AssertionError)(str(error)) from error


def _workbenches(workload: Workload) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = workload.runtime_config["component"]["config"].get("workbench", [])
    return found


@pytest.mark.parametrize("name", TOOLS)
def test_each_tool_asks_for_exactly_what_its_role_grants(name: str, tmp_path: Path) -> None:
    """Requests recorded on the wire against rules rendered."""
    workload, roles = _workload(tmp_path, [name])
    assert _requested(workload) == _granted(roles)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(TOOLS), min_size=2, max_size=5, unique=True))
def test_mixes_of_tools_add_up(tmp_path: Path, names: list[str]) -> None:
    """The Role of several tools is the union, no more."""
    workload, roles = _workload(tmp_path, names)
    assert _requested(workload) == _granted(roles)


def test_no_role_has_a_wildcard_and_none_reads_secrets_unasked(tmp_path: Path) -> None:
    """Least privilege, by default."""
    for names in (["kubectl-get", "kubectl-describe", "kubectl-logs"], TOOLS):
        _, roles = _workload(tmp_path, names)
        granted = _granted(roles)
        assert not [access for access in granted if "*" in access[1:]]
        assert (("shop", "", "secrets", "get") in granted) == ("describe-some" in names)
        assert not [access for access in granted if access[3] not in ("get", "list")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"resource": "secrets"}, "`secrets` is not granted"),
        ({"resource": "pods", "namespace": "kube-system"}, "namespace `kube-system` is not granted"),
        ({"resource": "pods", "name": "../../../../api/v1/secrets"}, "is not a name"),
        ({"resource": "pods", "name": "x?watch=1"}, "is not a name"),
        ({"resource": "pods", "name": ".."}, "is not a name"),
        ({"resource": "pods", "namespace": "home/secrets/x"}, "is not granted"),
        ({"resource": "pods", "output": "jsonpath"}, "must be one of: table, yaml"),
        ({"resource": "pods", "command": "delete"}, "`command` is not an argument"),
        ({}, "the argument `resource` is required"),
    ],
)
def test_a_call_outside_the_grant_sends_nothing(tmp_path: Path, arguments: dict[str, str], message: str) -> None:
    """The runtime refuses what RBAC would refuse, and what would leave its place in a path."""
    workload, _ = _workload(tmp_path, ["kubectl-get"])
    tool = KubernetesTool.model_validate(_workbenches(workload)[0]["config"]["tools"][0])
    cluster.CONNECTION.namespace = "home"
    with KubernetesApi([]) as api:
        cluster.CONNECTION.mode, cluster.CONNECTION.sample_url = "sample", api.origin
        cluster._client.cache_clear()
        with pytest.raises(ArgumentError, match=message.replace("`", ".").replace("(", ".")):
            run(tool, arguments, 5)
        assert api.requests == []


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda item: item.full_name)
def test_a_model_may_use_every_name_that_kubectl_users_know(resource: Resource) -> None:
    """Plural, singular, kind, short names and resource.group all lead to the resource, and to no other."""
    tool = {"name": "t", "operation": "get", "description": "d", "parameters": CLOSED, "namespaces": []}
    names = [item.full_name for item in RESOURCES]
    everything = KubernetesTool.model_validate(tool | {"resources": names})
    known = [resource.resource, resource.singular, resource.kind, resource.kind.upper(), *resource.short_names]
    for name in [*known, f"{resource.resource}.{resource.group}".rstrip(".")]:
        found = find(everything, name)
        assert found is not None
        assert (found.resource, found.version, found.group) == (resource.resource, resource.version, resource.group)
