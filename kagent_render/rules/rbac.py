"""Roles and bindings.

Source: k8s.io/kubernetes, pkg/apis/rbac/validation/validation.go.
"""

from __future__ import annotations

from functools import partial

from kagent_render.rules.grammar import path_segment, subdomain
from kagent_render.rules.selectors import label_selector
from kagent_render.rules.walk import JSON, Found, each, not_one_of, part, required
from kagent_render.schemas import Defect
from kagent_render.schemas.validator import Path

_GROUP = "rbac.authorization.k8s.io"
_SUBJECTS = ("ServiceAccount", "User", "Group")


def _role(item: JSON, path: Path, *, is_namespaced: bool) -> Found:
    """ValidatePolicyRule for every rule."""
    for rule, place in each(item, "rules", path):
        yield from required(rule, "verbs", place)
        if not rule.get("nonResourceURLs"):
            for name in ("apiGroups", "resources"):
                if not rule.get(name):
                    yield Defect((*place, name), "is missing")
        elif is_namespaced:
            yield Defect((*place, "nonResourceURLs"), "may not be there in a Role")
        elif any(rule.get(name) for name in ("apiGroups", "resources", "resourceNames")):
            yield Defect((*place, "nonResourceURLs"), "may not be there beside resources")
    selectors = part(item, "aggregationRule")
    for selector, place in each(selectors, "clusterRoleSelectors", (*path, "aggregationRule")):
        yield from label_selector(selector, place)


def _binding(item: JSON, path: Path, *, is_namespaced: bool) -> Found:
    """ValidateRoleBinding, ValidateClusterRoleBinding."""
    role, place = part(item, "roleRef"), (*path, "roleRef")
    kinds = ("Role", "ClusterRole") if is_namespaced else ("ClusterRole",)
    # An absent group is completed: SetDefaults_RoleBinding.
    if (role.get("apiGroup") or _GROUP) != _GROUP:
        yield Defect((*place, "apiGroup"), not_one_of(role["apiGroup"], (_GROUP,)))
    if role.get("kind") not in kinds:
        yield Defect((*place, "kind"), not_one_of(role.get("kind"), kinds))
    yield from required(role, "name", place, path_segment)
    for subject, at in each(item, "subjects", path):
        yield from _subject(subject, at, is_namespaced=is_namespaced)


def _subject(subject: JSON, path: Path, *, is_namespaced: bool) -> Found:
    """ValidateRoleBindingSubject."""
    kind, group = subject.get("kind") or "", subject.get("apiGroup") or ""
    if kind not in _SUBJECTS:
        yield Defect((*path, "kind"), not_one_of(kind, _SUBJECTS))
    yield from required(subject, "name", path, subdomain if kind == "ServiceAccount" else None)
    wanted = "" if kind == "ServiceAccount" else _GROUP
    if group not in ("", wanted) and kind in _SUBJECTS:
        yield Defect((*path, "apiGroup"), not_one_of(group, (wanted or '""',)))
    if kind == "ServiceAccount" and not is_namespaced and not subject.get("namespace"):
        yield Defect((*path, "namespace"), "is missing")


role = partial(_role, is_namespaced=True)
cluster_role = partial(_role, is_namespaced=False)
role_binding = partial(_binding, is_namespaced=True)
cluster_role_binding = partial(_binding, is_namespaced=False)
