"""Environments: partial documents merged over the base. Maps merge, lists and scalars replace, `null` deletes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kagent_render.diagnostics import Diagnostics, did_you_mean
from kagent_render.source.document import Document, Node


def apply_overlays(base: Sequence[Document], overlays: Sequence[Document], diagnostics: Diagnostics) -> list[Document]:
    """The base with every overlay merged in. An overlay that matches nothing, or several, is a KR206."""
    merged = list(base)
    for overlay in overlays:
        kind, name, namespace = _identity(overlay)
        found = [index for index, document in enumerate(merged) if _identity(document)[:2] == (kind, name)]
        if len(found) > 1 and namespace is not None:
            found = [index for index in found if _identity(merged[index])[2] == namespace]
        if len(found) == 1:
            merged[found[0]] = merge(merged[found[0]], overlay)
        else:
            _report(overlay, kind, name, len(found), merged, diagnostics)
    return merged


def _identity(document: Document) -> tuple[Any, Any, Any]:
    data = document.data if isinstance(document.data, dict) else {}
    metadata = data.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    return data.get("kind"), metadata.get("name"), metadata.get("namespace")


def _report(
    overlay: Document, kind: Any, name: Any, found: int, base: Sequence[Document], diagnostics: Diagnostics
) -> None:
    span = overlay.span_of(("metadata", "name"))
    if found:
        message, help = f"{found} documents are {kind} `{name}`", "add metadata.namespace to say which one"
    else:
        message = f"there is no {kind} `{name}` to change"
        names = [str(_identity(document)[1]) for document in base if _identity(document)[0] == kind]
        help = did_you_mean(str(name), names) or "an environment changes documents of the base; add it there"
    diagnostics.add("KR206", message, span, help=help)


def merge(base: Document, overlay: Document) -> Document:
    """One document: the data merged, and every value with the place it comes from."""
    data, root = _merge(base.data, base.root, overlay.data, overlay.root)
    return Document(base.file, base.index, data, root)


def _merge(below: Any, below_node: Node, above: Any, above_node: Node) -> tuple[Any, Node]:
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above, above_node
    data = dict(below)
    node = Node(below_node.path, below_node.line, below_node.column, below_node.end_column, is_leaf=False)
    node.children.update(below_node.children)
    node.keys.update(below_node.keys)
    for key, value in above.items():
        if value is None:
            data.pop(key, None)
            node.children.pop(key, None)
            node.keys.pop(key, None)
        elif key in data:
            data[key], node.children[key] = _merge(data[key], node.children[key], value, above_node.children[key])
        else:
            data[key], node.children[key] = value, above_node.children[key]
            node.keys[key] = above_node.keys[key]
    return data, node
