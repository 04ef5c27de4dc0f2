"""Where a pod may run: node selectors, affinity, tolerations, topology spread.

Source: k8s.io/kubernetes, pkg/apis/core/validation/validation.go: validateAffinity, ValidateTolerations,
validateTopologySpreadConstraints.
"""

from __future__ import annotations

from kagent_render.rules.grammar import label, label_value, qualified_name, shown
from kagent_render.rules.metadata import labels
from kagent_render.rules.selectors import label_selector, requirement
from kagent_render.rules.walk import JSON, Found, each, follows, not_one_of, one_of, part, required, texts
from kagent_render.schemas import Defect
from kagent_render.schemas.validator import Path

_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_OPERATORS = ("Equal", "Exists", "Lt", "Gt")
_UNSATISFIABLE = ("DoNotSchedule", "ScheduleAnyway")
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def scheduling(spec: JSON, path: Path) -> Found:
    """All of a pod's spec."""
    yield from labels(spec, "nodeSelector", path)
    yield from _node_affinity(part(spec, "affinity", "nodeAffinity"), (*path, "affinity", "nodeAffinity"))
    for name in ("podAffinity", "podAntiAffinity"):
        yield from _pod_affinity(part(spec, "affinity", name), (*path, "affinity", name))
    for toleration, place in each(spec, "tolerations", path):
        yield from _toleration(toleration, place)
    yield from _spread(spec, path)


def _node_affinity(affinity: JSON, path: Path) -> Found:
    wanted = affinity.get(_REQUIRED)
    if wanted is not None:
        yield from required(wanted, "nodeSelectorTerms", (*path, _REQUIRED))
        for term, place in each(wanted, "nodeSelectorTerms", (*path, _REQUIRED)):
            yield from _node_term(term, place)
    for item, place in each(affinity, _PREFERRED, path):
        yield from _weight(item, place)
        yield from _node_term(part(item, "preference"), (*place, "preference"))


def _node_term(term: JSON, path: Path) -> Found:
    for expression, place in each(term, "matchExpressions", path):
        yield from requirement(expression, place, is_of_node=True)
        if expression.get("operator") in ("In", "NotIn"):
            for text, at in texts(expression, "values", place):
                if message := label_value(text):
                    yield Defect(at, message)
    for field, place in each(term, "matchFields", path):
        yield from one_of(field, "operator", ("In", "NotIn"), place, is_required=True)
        if field.get("key") != "metadata.name":
            yield Defect((*place, "key"), f"{shown(field.get('key'))} is not accepted; one of metadata.name")


def _pod_affinity(affinity: JSON, path: Path) -> Found:
    for term, place in each(affinity, _REQUIRED, path):
        yield from _pod_term(term, place)
    for item, place in each(affinity, _PREFERRED, path):
        yield from _weight(item, place)
        yield from _pod_term(part(item, "podAffinityTerm"), (*place, "podAffinityTerm"))


def _pod_term(term: JSON, path: Path) -> Found:
    yield from required(term, "topologyKey", path, qualified_name)
    for name in ("labelSelector", "namespaceSelector"):
        yield from label_selector(part(term, name), (*path, name))
    for text, place in texts(term, "namespaces", path):
        if message := label(text):
            yield Defect(place, message)


def _weight(item: JSON, path: Path) -> Found:
    weight = item.get("weight") or 0
    if not 1 <= weight <= 100:
        yield Defect((*path, "weight"), f"{shown(weight)} is not from 1 to 100")


def _toleration(item: JSON, path: Path) -> Found:
    operator, key, value = item.get("operator") or "", item.get("key"), item.get("value") or ""
    yield from one_of(item, "operator", _OPERATORS, path)
    yield from one_of(item, "effect", _EFFECTS, path)
    yield from follows(item, "key", qualified_name, path)
    if not key and operator != "Exists":
        yield Defect((*path, "operator"), "has to be `Exists` without a key")
    if operator == "Exists" and value:
        yield Defect((*path, "value"), "may not be there for the operator `Exists`")
    elif operator in ("", "Equal") and (message := label_value(value)):
        yield Defect((*path, "value"), message)
    if item.get("tolerationSeconds") is not None and item.get("effect") != "NoExecute":
        yield Defect((*path, "effect"), "has to be `NoExecute` where `tolerationSeconds` is set")


def _spread(spec: JSON, path: Path) -> Found:
    seen: set[tuple[object, object]] = set()
    for item, place in each(spec, "topologySpreadConstraints", path):
        if (item.get("maxSkew") or 0) < 1:
            yield Defect((*place, "maxSkew"), f"{shown(item.get('maxSkew') or 0)} is less than 1")
        yield from required(item, "topologyKey", place)
        yield from one_of(item, "whenUnsatisfiable", _UNSATISFIABLE, place, is_required=True)
        yield from _spread_policies(item, place)
        key = (item.get("topologyKey"), item.get("whenUnsatisfiable"))
        if key in seen:
            yield Defect(place, f"a constraint of {shown(key[0])} with {shown(key[1])} is there twice")
        seen.add(key)
        yield from label_selector(part(item, "labelSelector"), (*place, "labelSelector"))


def _spread_policies(item: JSON, path: Path) -> Found:
    """validateMinDomains, validateNodeInclusionPolicy, ValidateMatchLabelKeysInTopologySpread."""
    domains = item.get("minDomains")
    if domains is not None and domains < 1:
        yield Defect((*path, "minDomains"), f"{shown(domains)} is less than 1")
    elif domains is not None and item.get("whenUnsatisfiable") != "DoNotSchedule":
        yield Defect((*path, "minDomains"), "is only for whenUnsatisfiable `DoNotSchedule`")
    for name in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
        value = item.get(name)
        if value is not None and value not in ("Honor", "Ignore"):
            yield Defect((*path, name), not_one_of(value, ("Honor", "Ignore")))
    keys = item.get("matchLabelKeys") or ()
    if keys and item.get("labelSelector") is None:
        yield Defect((*path, "matchLabelKeys"), "may not be there without `labelSelector`")
    for text, place in texts(item, "matchLabelKeys", path):
        if message := qualified_name(text):
            yield Defect(place, message)
