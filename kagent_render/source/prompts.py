"""Prompts in files of their own: `systemMessageFrom` becomes `systemMessage`, before any spec is decoded.

A file is read relative to the YAML file that names it, an overlay's included, and never from outside the folders
that were given: whoever may change a spec must not get at the renderer's own files.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kagent_render.diagnostics import Diagnostics, Span
from kagent_render.source.discover import MAX_TOTAL_BYTES, SourceFile, read_regular
from kagent_render.source.document import HIDDEN, Document, Node

MAX_PROMPT_BYTES = 256 << 10
SUFFIXES = (".md", ".txt")
_PLACE = ("spec", "systemMessageFrom", "file")


def read_prompts(
    documents: Sequence[Document], paths: Sequence[str], diagnostics: Diagnostics
) -> tuple[list[Document], list[SourceFile]]:
    """The documents with their prompts in them, and the files read. `paths` are those of the command line."""
    reader = _Reader(paths, diagnostics)
    return [reader.with_prompt(document) for document in documents], list(reader.files.values())


class _Reader:
    def __init__(self, paths: Sequence[str], diagnostics: Diagnostics) -> None:
        self._diagnostics = diagnostics
        self._roots = [_root(Path(given)) for given in paths]
        self._left = MAX_TOTAL_BYTES
        self.files: dict[str, SourceFile] = {}

    def with_prompt(self, document: Document) -> Document:
        """The document itself when it names no file, or one that cannot be used, which is reported."""
        spec = document.data.get("spec") if isinstance(document.data, dict) else None
        if not isinstance(spec, dict) or not _names_a_file(document.data, spec):
            return document
        span = document.span_of(_PLACE)
        try:
            text = self._text(spec["systemMessageFrom"]["file"], span)
        except _Refused as refused:
            self._diagnostics.add(refused.code, str(refused), span, help=refused.help)
            return document
        return document if text is None else _inlined(document, spec, text)

    def _text(self, name: str, span: Span) -> str | None:
        path = self._inside(name, Path(span.path).parent)
        shown = Path(os.path.normpath(Path(span.path).parent / name)).as_posix()
        if shown not in self.files:
            text = self._read(name, path, span)
            if not self._is_clean(text, shown):
                return None
            self.files[shown] = SourceFile(shown, text)
        return self.files[shown].text.rstrip("\n")

    def _inside(self, name: str, folder: Path) -> Path:
        if not name.endswith(SUFFIXES):
            raise _Refused("KR340", f"`{name}` is not a prompt file", "name a .md or .txt file")
        try:
            path = (folder / name).resolve()
        except (OSError, RuntimeError, ValueError):  # a loop of links, a NUL in the name
            raise _Refused("KR340", f"`{name}` is not a path that can be followed") from None
        if Path(name).is_absolute() or not any(path.is_relative_to(root) for root in self._roots):
            help = "move it below the folder that is compiled, and name it relative to this file"
            raise _Refused("KR341", f"`{name}` leads outside the folders that are compiled", help)
        return path

    def _read(self, name: str, path: Path, span: Span) -> str:
        try:
            raw = read_regular(path, MAX_PROMPT_BYTES)
        except FileNotFoundError:
            help = f"the path is relative to {Path(span.path).name}"
            raise _Refused("KR340", f"the prompt file `{name}` does not exist", help) from None
        except OSError as error:
            raise _Refused("KR340", f"the prompt file `{name}` cannot be read: {error.strerror}") from None
        if raw is None:
            raise _Refused("KR340", f"`{name}` is not a regular file")
        self._left -= len(raw)
        if len(raw) > MAX_PROMPT_BYTES or self._left < 0:
            size = "256 KiB" if len(raw) > MAX_PROMPT_BYTES else "10 MiB together with the other prompts"
            raise _Refused("KR340", f"the prompt file `{name}` is larger than {size}", "shorten it")
        return _decoded(name, raw)

    def _is_clean(self, text: str, shown: str) -> bool:
        hidden = HIDDEN.search(text)
        if hidden:
            line, column = text.count("\n", 0, hidden.start()) + 1, hidden.start() - text.rfind("\n", 0, hidden.start())
            span = Span(shown, line, column, column + 1)
            self._diagnostics.add("KR008", f"hidden character U+{ord(hidden[0]):04X}", span, help="remove it")
        return hidden is None


class _Refused(Exception):
    """A file that is not read; reported at the field that names it."""

    def __init__(self, code: str, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.code, self.help = code, help


def _decoded(name: str, raw: bytes) -> str:
    try:
        # One form of line ends: Git may check a file out with others on another machine.
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _Refused("KR340", f"the prompt file `{name}` is not UTF-8 (line {line})") from None
    if not text.strip():
        raise _Refused("KR340", f"the prompt file `{name}` is empty")
    return text


def _root(given: Path) -> Path:
    return (given if given.is_dir() else given.parent).resolve()


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
