"""The rendered Role is exactly what the tools ask the API server for: nothing missing, nothing extra."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kagent_render.catalog.kubernetes_resources import RESOURCES, Resource
from kagent_render.catalog.tools.kubernetes_changing import CHANGING
from kagent_render.catalog.tools.kubernetes_reading import READING
from kagent_render.catalog.tools.registry import BUILTIN_TOOLS
from kagent_render.catalog.tools.tool_sets import TOOL_SETS
from kagent_render.compiler import compile_paths
from kagent_render.lower import Workload
from kagent_runtime.components import cluster
from kagent_runtime.components.kubernetes_operations import ArgumentError, run
from kagent_runtime.components.resources import Resource as RuntimeResource
from kagent_runtime.components.resources import find, granted
from kagent_runtime.model import KubernetesTool
from kagent_runtime.model.kubernetes_tools import ChangingOperation, ReadingOperation
from tests.edge.kubernetes_exec import ExecApi
from tests.edge.kubernetes_writes import WritableApi

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
CHANGES = """
---
apiVersion: kagent.dev/v1alpha1
kind: Tool
metadata: {name: create-some}
spec:
  type: kubernetes
  description: d
  kubernetes: {operation: apply, resources: [cm, widgets.v1.example.com], namespaces: [shop, home], mayCreate: true}
---
apiVersion: kagent.dev/v1alpha1
kind: Tool
metadata: {name: delete-everywhere}
spec:
  type: kubernetes
  description: d
  kubernetes: {operation: delete, resources: [pods, nodes], namespaces: ["*"]}
---
apiVersion: kagent.dev/v1alpha1
kind: Tool
metadata: {name: label-secrets}
spec:
  type: kubernetes
  description: d
  kubernetes: {operation: label, resources: [secrets], namespaces: [shop]}
---
apiVersion: kagent.dev/v1alpha1
kind: Tool
metadata: {name: top-all}
spec:
  type: kubernetes
  description: d
  kubernetes: {operation: top, resources: [pods, nodes], namespaces: ["*"]}
"""
COMMANDS = """
---
apiVersion: kagent.dev/v1alpha1
kind: Tool
metadata: {name: run-in-some}
spec: {type: kubernetes, description: d, kubernetes: {operation: exec, namespaces: [shop, home], commands: [[df]]}}
---
apiVersion: kagent.dev/v1alpha1
kind: Tool
metadata: {name: run-everywhere}
spec: {type: kubernetes, description: d, kubernetes: {operation: exec, namespaces: ["*"], commands: [[df]]}}
---
apiVersion: kagent.dev/v1alpha1
kind: Tool
metadata: {name: kubectl-exec}
spec: {type: kubernetes, description: d, kubernetes: {commands: [[df]]}}
"""
SPECS += CHANGES + COMMANDS
BUILT_IN = [name for name, operation in CHANGING.items() if not operation.takes_commands]
CHANGING_TOOLS = [f"kubectl-{name}" for name in BUILT_IN] + ["create-some", "delete-everywhere", "label-secrets"]
CHANGING_TOOLS += ["run-in-some", "run-everywhere", "kubectl-exec"]
TOOLS = [
    *(f"kubectl-{name}" for name in READING),
    "top-all",
    "describe-nodes",
    "describe-all",
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


# What an operation needs besides the object's name.
MORE: dict[str, dict[str, Any]] = {
    "scale": {"replicas": 3},
    "patch": {"patch": '{"metadata": {"labels": {"a": "b"}}}'},
    "label": {"labels": "a=b"},
    "annotate": {"annotations": "a=b"},
}


def _calls(tool: KubernetesTool) -> Iterator[dict[str, Any]]:
    """Every kind of call a model can make of a tool."""
    for space in tool.namespaces or ["home"]:
        is_list = tool.operation in ("get", "describe", "events", "top")
        yield from _calls_in(tool, "any" if space == "*" and not is_list else space)


def _calls_in(tool: KubernetesTool, namespace: str) -> Iterator[dict[str, Any]]:
    match tool.operation:
        case "logs":
            yield {"pod": "p", "namespace": namespace}
        case "events":
            yield {"namespace": namespace}
        case "cordon" | "uncordon" | "drain":
            yield {"name": "x"}
        case "exec":
            yield {"pod": "x", "namespace": namespace, "command": "df"}
        case "apply":
            yield from (_manifest(item, namespace) for item in granted(tool))
        case operation:
            for item in granted(tool):
                call = {"resource": item.resource, "namespace": namespace}
                yield call | {"name": "x"} | MORE.get(operation, {})
                if operation == "get":
                    yield call


def _manifest(item: RuntimeResource, namespace: str) -> dict[str, Any]:
    metadata = {"name": "x"} | ({"namespace": namespace} if item.namespaced else {})
    return {"manifest": json.dumps({"apiVersion": _version(item), "kind": _kind(item), "metadata": metadata})}


def _version(item: RuntimeResource) -> str:
    return f"{item.group}/{item.version}" if item.group else item.version


def _kind(item: RuntimeResource) -> str:
    return KINDS.get(item.resource, {"applications": "Application", "widgets": "Widget"}.get(item.resource, ""))


def _requested(workload: Workload) -> set[Access]:
    asked: set[Access] = set()
    tools = [KubernetesTool.model_validate(t) for w in _workbenches(workload) for t in w["config"]["tools"]]
    with ExecApi([], lambda argv: [("exit", 0)]) as api:
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


def _answer_everything(api: WritableApi, tool: KubernetesTool, arguments: dict[str, Any]) -> None:
    # So that each operation gets as far as its last request.
    api._objects = []
    for item in granted(tool):
        if item.resource == arguments.get("resource", item.resource) and not tool.may_create:
            api._objects += _objects(item, arguments.get("namespace", "home"))
    with contextlib.suppress(NotFound):
        try:
            run(tool, arguments, 5)
        except cluster.ClusterError as error:
            raise (NotFound if error.status == 404 else AssertionError)(str(error)) from error


def _objects(item: RuntimeResource, namespace: str) -> Iterator[dict[str, Any]]:
    """The object `x`, its revisions when it is a workload, its pods when it is a node."""
    place = {"namespace": namespace} if item.namespaced else {}
    about = {"apiVersion": _version(item), "kind": _kind(item), "metadata": {"name": "x", "uid": "1", **place}}
    usage = {"cpu": "1m", "memory": "1Mi"}
    containers = {"containers": [{"name": "c"}]}
    running = {"containerStatuses": [{"name": "c", "state": {"running": {}}}]}
    yield about | {"spec": {"replicas": 1, **containers}, "usage": usage, "status": running}
    owned = {"ownerReferences": [{"uid": "1", "kind": about["kind"], "name": "x", "controller": True}]}
    template: dict[str, Any] = {"spec": {"template": {"spec": {"containers": []}}}}
    for number in (1, 2):
        metadata = {"name": f"x-{number}", "uid": f"1-{number}", **place, **owned}
        revision = metadata | {"annotations": {"deployment.kubernetes.io/revision": str(number)}}
        yield {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": revision} | template
        yield {"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": metadata} | {
            "revision": number,
            "data": template,
        }
    if item.resource == "nodes":
        yield {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "uid": "p", "namespace": "any", **owned}}


def _workbenches(workload: Workload) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = workload.runtime_config["component"]["config"].get("workbench", [])
    return found


@pytest.mark.parametrize("name", [*TOOLS, *CHANGING_TOOLS])
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
    for names in ([f"kubectl-{name}" for name in READING], TOOLS):
        _, roles = _workload(tmp_path, names)
        granted = _granted(roles)
        assert not [access for access in granted if "*" in access[1:]]
        assert (("shop", "", "secrets", "get") in granted) == ("describe-some" in names)
        assert not [access for access in granted if access[3] not in ("get", "list")]


def test_no_change_is_granted_beyond_the_objects_of_an_application(tmp_path: Path) -> None:
    """Secrets, RBAC and what has no namespace are changed by tools that name them, nodes by those for nodes."""
    for name in BUILT_IN:
        _, roles = _workload(tmp_path, [f"kubectl-{name}"])
        found = {(group, resource.partition("/")[0]) for _, group, resource, _ in _granted(roles)}
        assert not {("", "secrets"), ("rbac.authorization.k8s.io", "roles"), ("", "serviceaccounts")} & found
        assert (("", "nodes") in found) == (name in ("cordon", "uncordon", "drain"))


def test_no_command_may_be_run_by_any_set_or_built_in(tmp_path: Path) -> None:
    """It is off unless a document names what may be run."""
    assert not [name for name, builtin in BUILTIN_TOOLS.items() if "exec" in name or "command" in builtin.summary]
    sets = {name for tools in TOOL_SETS.values() for name in tools}
    _, roles = _workload(tmp_path, sorted(name for name in sets if not name.startswith(("prometheus", "alertmanager"))))
    assert not [access for access in _granted(roles) if access[2].startswith("pods/exec")]


def test_the_runtime_has_the_operations_of_the_compiler() -> None:
    """And may repeat after a crash exactly those that change nothing."""
    assert set(get_args(ReadingOperation)) == set(READING)
    assert set(get_args(ChangingOperation)) == set(CHANGING)


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
    with WritableApi([]) as api:
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
