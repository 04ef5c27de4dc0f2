"""Environments: maps merge, lists and scalars replace, null deletes, and every value keeps its place."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kagent_render.diagnostics import Diagnostics
from kagent_render.emit import emit
from kagent_render.source import Document, SourceFile, apply_overlays, read_documents
from kagent_render.source.overlay import merge


def _read(path: str, text: str) -> list[Document]:
    diagnostics = Diagnostics()
    documents = read_documents(SourceFile(path, text), diagnostics)
    assert not diagnostics.in_order()
    return documents


def test_maps_merge_lists_replace_and_null_deletes() -> None:
    """As kustomize's and Helm's users expect of maps and null; lists have no keys to merge by."""
    (base,) = _read("base.yaml", "kind: A\nspec:\n  keep: 1\n  drop: 2\n  map: {a: 1, b: 2}\n  list: [1, 2]\n")
    (above,) = _read("prod.yaml", "kind: A\nspec:\n  drop: null\n  map: {b: 3, c: 4}\n  list: [9]\n  new: {x: 1}\n")
    merged = merge(base, above)
    spec = {"keep": 1, "map": {"a": 1, "b": 3, "c": 4}, "list": [9], "new": {"x": 1}}
    assert merged.data == {"kind": "A", "spec": spec}
    assert str(merged.span_of(("spec", "keep"))) == "base.yaml:3:9"
    assert str(merged.span_of(("spec", "map", "b"))) == "prod.yaml:4:12"
    assert str(merged.key_span_of(("spec", "new"))) == "prod.yaml:6:3"
    assert str(merged.span_of(("spec", "drop"))) == "base.yaml:3:3", "the nearest parent of what is gone"
    assert base.data["spec"]["drop"] == 2, "the base is not changed"


def test_a_namespace_chooses_between_documents_of_one_name() -> None:
    """And one that matches alone may change the namespace itself."""
    base = _read(
        "base.yaml", "kind: A\nmetadata: {name: x, namespace: one}\n---\nkind: A\nmetadata: {name: x, namespace: two}\n"
    )
    above = _read("prod.yaml", "kind: A\nmetadata: {name: x, namespace: two}\nspec: {v: 1}\n")
    diagnostics = Diagnostics()
    assert [d.data.get("spec") for d in apply_overlays(base, above, diagnostics)] == [None, {"v": 1}]
    moved = apply_overlays(base[:1], above, diagnostics)
    assert moved[0].data["metadata"]["namespace"] == "two"
    assert not diagnostics.in_order()


_keys = st.sampled_from("abc")
_trees: st.SearchStrategy[Any] = st.recursive(
    st.integers(0, 5),
    lambda inner: st.dictionaries(_keys, inner, max_size=3) | st.lists(inner, max_size=2),
    max_leaves=8,
)
_maps = st.dictionaries(_keys, _trees, min_size=1, max_size=3)


@given(_maps, _maps)
def test_merging_twice_is_merging_once_and_places_stay_true(below: dict[str, Any], above: dict[str, Any]) -> None:
    """Idempotent; and the node tree has the shape of the data."""
    (base,), (over,) = _read("b.yaml", emit(below)), _read("o.yaml", emit(above))
    once = merge(base, over)
    assert merge(once, over).data == once.data
    _same_shape(once.data, once.root)


def _same_shape(data: Any, node: Any) -> None:
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    assert set(node.children) == {key for key, _ in items} or not items
    for key, value in items:
        _same_shape(value, node.children[key])
