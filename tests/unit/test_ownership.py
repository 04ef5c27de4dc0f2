"""Whose fields a live object has, and what goes from it when they are applied again."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kagent_render.views.ownership import DEFAULT_MANAGER, LAST_APPLIED, manager_of, without_dropped


def _live(*managers: tuple[str, str, str], annotation: str | None = None) -> dict[str, Any]:
    fields = [{"manager": name, "operation": operation, "subresource": part} for name, operation, part in managers]
    return {"metadata": {"managedFields": fields} | ({"annotations": {LAST_APPLIED: annotation}} if annotation else {})}


@pytest.mark.parametrize(
    ("managers", "expected"),
    [
        ([], DEFAULT_MANAGER),
        ([("argocd-controller", "Apply", ""), ("kube-controller-manager", "Update", "status")], "argocd-controller"),
        ([("keda-operator", "Apply", ""), ("kustomize-controller", "Apply", "")], "kustomize-controller"),
        ([("somebody", "Apply", "")], "somebody"),
        ([("somebody", "Apply", ""), ("somebody-else", "Apply", "")], DEFAULT_MANAGER),
        ([("argocd-controller", "Update", "")], DEFAULT_MANAGER),
        ([("argocd-controller", "Apply", "status")], DEFAULT_MANAGER),
    ],
)
def test_the_manager_is_who_applied_it_before(managers: list[tuple[str, str, str]], expected: str) -> None:
    """Not who updated it, and not who writes its status."""
    assert manager_of(_live(*managers)) == expected


def test_only_what_was_applied_and_is_not_any_more_goes() -> None:
    """What somebody else added stays, at every depth."""
    earlier = {"spec": {"a": 1, "b": 1, "items": [{"name": "x", "v": 1, "w": 1}, {"name": "y"}], "plain": [1, 2]}}
    rendered = {"spec": {"a": 1, "items": [{"name": "x", "v": 1}], "plain": [1]}}
    added = {"name": "z"}
    planned = {"spec": {"a": 1, "b": 1, "c": 1, "items": [{"name": "x", "v": 1, "w": 1, "u": 1}, {"name": "y"}, added]}}
    kept = copy.deepcopy(planned)
    left = without_dropped(planned, _live(annotation=json.dumps(earlier)), rendered)
    assert left == {"spec": {"a": 1, "c": 1, "items": [{"name": "x", "v": 1, "u": 1}, added]}}
    assert planned == kept


def test_annotations_that_a_controller_adds_stay() -> None:
    """The record of kubectl has an empty map where the manifest had none."""
    earlier = {"metadata": {"name": "x", "annotations": {}}}
    planned = {"metadata": {"name": "x", "annotations": {"deployment.kubernetes.io/revision": "1"}}}
    assert without_dropped(planned, _live(annotation=json.dumps(earlier)), {"metadata": {"name": "x"}}) == planned


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '"x"', "null"])
def test_a_record_that_is_none_changes_nothing(text: str) -> None:
    """An annotation can hold anything."""
    assert without_dropped({"a": 1}, _live(annotation=text), {}) == {"a": 1}


_VALUES = st.recursive(
    st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcn"), inner, max_size=3),
    max_leaves=12,
)
_OBJECTS = st.dictionaries(st.sampled_from(["a", "b", "name"]), _VALUES, max_size=3)


@given(_OBJECTS, _OBJECTS, _OBJECTS)
def test_any_three_objects_are_compared_without_a_fault(
    planned: dict[str, Any], earlier: dict[str, Any], rendered: dict[str, Any]
) -> None:
    """And what is rendered is never dropped."""
    merged = planned | rendered
    left = without_dropped(merged, _live(annotation=json.dumps(earlier)), rendered)
    assert set(left) >= set(rendered)
    assert set(left) <= set(merged)
    assert without_dropped(merged, _live(annotation=json.dumps(earlier)), merged) == merged
