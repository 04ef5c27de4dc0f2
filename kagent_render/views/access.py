"""RBAC in words: what a ServiceAccount may do, by the bindings that name it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from kagent_render.catalog import kubernetes_resources

Object = Mapping[str, Any]
CLUSTER = "*"


class Permission(NamedTuple):
    """One verb on one resource. Namespace "*" is the whole cluster, "" one that only the destination knows."""

    namespace: str
    verb: str
    resource: str


def permissions(objects: Iterable[Object]) -> dict[tuple[str, str], set[Permission]]:
    """What each ServiceAccount (namespace, name) may do."""
    items = list(objects)
    rules = {_role_key(item): item.get("rules") or [] for item in items if item["kind"] in ("Role", "ClusterRole")}
    found: dict[tuple[str, str], set[Permission]] = {}
    for binding in (item for item in items if item["kind"] in ("RoleBinding", "ClusterRoleBinding")):
        granted = set(_granted(binding, rules))
        namespace = binding["metadata"].get("namespace") or ""
        for subject in binding.get("subjects") or []:
            if subject["kind"] == "ServiceAccount":
                key = (subject.get("namespace") or namespace, subject["name"])
                found.setdefault(key, set()).update(granted)
    return found


def _role_key(role: Object) -> tuple[str, str, str]:
    metadata = role["metadata"]
    return (role["kind"], metadata.get("namespace") or "", metadata["name"])


def _granted(binding: Object, rules: Mapping[tuple[str, str, str], list[Any]]) -> Iterator[Permission]:
    scope = CLUSTER if binding["kind"] == "ClusterRoleBinding" else binding["metadata"].get("namespace") or ""
    kind, name = binding["roleRef"]["kind"], binding["roleRef"]["name"]
    known = rules.get((kind, "" if kind == "ClusterRole" else scope, name))
    if known is None:
        # Somebody's own binding to a role that is not rendered: say so instead of passing over it.
        yield Permission(scope, "do", f"whatever {kind} {name} allows")
    for rule in known or ():
        for resource in _resources(rule):
            for verb in rule["verbs"]:
                yield Permission(scope, verb, resource)


def _resources(rule: Mapping[str, Any]) -> Iterator[str]:
    yield from rule.get("nonResourceURLs") or ()
    names = rule.get("resourceNames") or []
    only = f" (only {', '.join(names)})" if names else ""
    for group in rule.get("apiGroups") or ():
        for resource in rule.get("resources") or ():
            yield resource_name(group, resource) + only


def resource_name(group: str, resource: str) -> str:
    """The resource as people write it: with its group unless the plain name means that one already."""
    known = kubernetes_resources.find(resource.partition("/")[0])
    return resource if not group or (known and known.group == group) else f"{resource}.{group}"


def in_words(items: Iterable[Permission]) -> list[str]:
    """One phrase for each namespace and set of verbs: `get, list pods, services in namespace shop`."""
    verbs: dict[tuple[str, str], set[str]] = {}
    for item in items:
        verbs.setdefault((item.namespace, item.resource), set()).add(item.verb)
    grouped: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (namespace, resource), allowed in verbs.items():
        grouped.setdefault((namespace, tuple(sorted(allowed))), []).append(resource)
    return [
        f"{', '.join(allowed)} {', '.join(sorted(names))} {_where(namespace)}"
        for (namespace, allowed), names in sorted(grouped.items())
    ]


def _where(namespace: str) -> str:
    if namespace == CLUSTER:
        return "cluster-wide"
    return f"in namespace {namespace}" if namespace else "in its own namespace"
