"""Prompts in files of their own: `systemMessageFrom` becomes `systemMessage`, before any spec is decoded.

A file is read relative to the YAML file that names it, an overlay's included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kagent_render.diagnostics import Diagnostics
from kagent_render.source.discover import SourceFile
from kagent_render.source.document import Document, Node
from kagent_render.source.named_files import Form, NamedFiles

SUFFIXES = (".md", ".txt")
_FORM = Form("prompt file", "prompts", SUFFIXES)
_PLACE = ("spec", "systemMessageFrom", "file")


def read_prompts(
    documents: Sequence[Document], paths: Sequence[str], diagnostics: Diagnostics
) -> tuple[list[Document], list[SourceFile]]:
    """The documents with their prompts in them, and the files read. `paths` are those of the command line."""
    reader = NamedFiles(_FORM, paths, diagnostics)
    return [_with_prompt(document, reader) for document in documents], list(reader.files.values())


def _with_prompt(document: Document, reader: NamedFiles) -> Document:
    """The document itself when it names no file, or one that cannot be used, which is reported."""
    spec = document.data.get("spec") if isinstance(document.data, dict) else None
    if not isinstance(spec, dict) or not _names_a_file(document.data, spec):
        return document
    file = reader.read(spec["systemMessageFrom"]["file"], document.span_of(_PLACE))
    return document if file is None else _inlined(document, spec, file.text.rstrip("\n"))


def _names_a_file(data: dict[str, Any], spec: dict[str, Any]) -> bool:
    source = spec.get("systemMessageFrom")
    # Anything else is for the decoder to refuse.
    is_file = isinstance(source, dict) and list(source) == ["file"] and isinstance(source["file"], str)
    return data.get("kind") == "Agent" and is_file and "systemMessage" not in spec


def _inlined(document: Document, spec: dict[str, Any], text: str) -> Document:
    """`systemMessage` in the place of `systemMessageFrom`, with the span of the file's name."""
    rest = {key: value for key, value in spec.items() if key != "systemMessageFrom"}
    data = document.data | {"spec": rest | {"systemMessage": text}}
    root, below = _copied(document.root), _copied(document.root.children["spec"])
    root.children["spec"] = below
    source = below.children.pop("systemMessageFrom")
    below.children["systemMessage"] = source.children["file"]
    below.keys["systemMessage"] = below.keys.pop("systemMessageFrom")
    return replace(document, data=data, root=root)


def _copied(node: Node) -> Node:
    copy = Node(node.path, node.line, node.column, node.end_column, is_leaf=False)
    copy.children.update(node.children)
    copy.keys.update(node.keys)
    return copy
