"""Role and RoleBinding for exactly what the granted tools need; ClusterRole only where a namespace cannot say it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kagent_render.catalog.base import AccessRule
from kagent_render.lower import Workload
from kagent_render.targets.objects import metadata
from kagent_render.targets.templating import render


def objects(workload: Workload) -> Iterator[tuple[str, dict[str, Any]]]:
    """A Role and its binding for each namespace; a ClusterRole for cluster-scoped or all-namespaces rules."""
    by_namespace: dict[str | None, list[AccessRule]] = {}
    for rule in workload.access:
        # A tool may name the workload's own namespace, or leave it out: one Role either way.
        by_namespace.setdefault(rule.namespace or workload.namespace, []).append(rule)
    for namespace in sorted(by_namespace, key=str):
        rules = role_rules(by_namespace[namespace])
        if namespace == "*":
            yield from _bound(workload, "ClusterRole", rules, _far_name(workload), None, "cluster")
        elif namespace == workload.namespace:
            yield from _bound(workload, "Role", rules, workload.name, workload.namespace, "")
        else:
            yield from _bound(workload, "Role", rules, _far_name(workload), namespace, str(namespace))


def _far_name(workload: Workload) -> str:
    # In another namespace, and in the cluster, the name alone could be another workload's.
    return f"{workload.namespace}-{workload.name}"


def _bound(
    workload: Workload, kind: str, rules: list[dict[str, Any]], name: str, namespace: str | None, suffix: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    fields = metadata(workload, name, namespace)
    if kind == "ClusterRole":
        fields.pop("namespace", None)
    binding = {
        "metadata": fields,
        "kind": kind,
        "name": name,
        "account": workload.name,
        "namespace": workload.namespace,
    }
    role_file, binding_file = (
        ("clusterrole", "clusterrolebinding") if kind == "ClusterRole" else ("role", "rolebinding")
    )
    end = f"-{suffix}.yaml" if suffix and kind == "Role" else ".yaml"
    yield role_file + end, render("rbac/role.yaml.j2", {"metadata": fields, "kind": kind, "rules": rules})
    yield binding_file + end, render("rbac/rolebinding.yaml.j2", binding)


def role_rules(access: Iterable[AccessRule]) -> list[dict[str, Any]]:
    """Policy rules: resources of one group with the same verbs together, everything sorted."""
    verbs: dict[tuple[str, str], set[str]] = {}
    for rule in access:
        verbs.setdefault((rule.group, rule.resource), set()).add(rule.verb)
    grouped: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (group, resource), allowed in verbs.items():
        grouped.setdefault((group, tuple(sorted(allowed))), []).append(resource)
    return [
        {"apiGroups": [group], "resources": sorted(names), "verbs": list(allowed)}
        for (group, allowed), names in sorted(grouped.items())
    ]
