"""Checks on rendered objects that no spec of ours can trip, or only a huge one."""

from __future__ import annotations

from typing import Any

from kagent_render.checks import check, references
from kagent_render.diagnostics import Diagnostics, Span
from kagent_render.targets.objects import RenderedObject


def _codes(*objects: dict[str, Any]) -> list[str]:
    diagnostics = Diagnostics()
    check([RenderedObject(data, "f.yaml", Span("s.yaml", 1, 1)) for data in objects], diagnostics)
    return [item.code for item in diagnostics.in_order()]


def _config_map(size: int) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "x" * size}}


def test_large_config_maps_are_named_before_the_server_does() -> None:
    """1 MiB is etcd's limit for data; 256 KiB that of the annotation of client-side apply."""
    assert _codes(_config_map(1000)) == []
    assert _codes(_config_map(250_000)) == ["KR503"]
    assert _codes(_config_map(1_100_000)) == ["KR502"]


def test_a_reference_to_nothing_is_found() -> None:
    """A Deployment without its account and config, a binding without its role."""
    pod = {"serviceAccountName": "a", "volumes": [{"name": "config", "configMap": {"name": "a"}}]}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a"},
        "spec": {"template": {"spec": pod}},
    }
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "a"},
        "roleRef": {"kind": "Role", "name": "a"},
    }
    assert _dangling(deployment, binding) == 3
    assert _dangling(deployment, _config_map(1)) == 1


def _dangling(*objects: dict[str, Any]) -> int:
    diagnostics = Diagnostics()
    references.check([RenderedObject(data, "f.yaml", Span("s.yaml", 1, 1)) for data in objects], diagnostics)
    return [item.code for item in diagnostics.in_order()].count("KR504")
