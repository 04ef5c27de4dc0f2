"""Text to documents in one pass over the parser's events: data, positions, and every YAML trap refused.

Working on events (not on composed nodes) lets aliases, tags, depth and size be refused before anything is built.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from kagent_render.diagnostics import Diagnostics, Label, Span
from kagent_render.source.discover import SourceFile
from kagent_render.source.scalars import is_ambiguous, resolve

try:
    from yaml.cyaml import CParser as Parser  # type: ignore[attr-defined]
except ImportError:  # PyYAML built without libyaml: slower, same events
    from yaml import Loader as Parser  # type: ignore[assignment]

MAX_DEPTH = 64
MAX_NODES = 50_000
MAX_FOREIGN_NODES = 400_000
# libyaml since 0.2.6 has a limit of its own, which a scanner that looks ahead meets before there is an event to count.
_SCANNER_DEPTH = "exceeded maximum nesting depth"
Location = tuple[int | str, ...]
# Control, bidirectional, zero-width and tag characters: what a reviewer sees is not what is there.
HIDDEN = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


class Node:
    """The place of one value (0-based) and of what it holds: `children` by key or index."""

    __slots__ = ("children", "column", "end_column", "keys", "line", "path")

    def __init__(self, path: str, line: int, column: int, end_column: int, *, is_leaf: bool = True) -> None:
        self.path = path  # a merged document has values of several files
        self.line = line
        self.column = column
        self.end_column = end_column
        self.children: dict[int | str, Node] = _NO_CHILDREN if is_leaf else {}
        self.keys: dict[str, Node] = _NO_KEYS if is_leaf else {}


_NO_CHILDREN: dict[int | str, Node] = {}  # shared by all leaves: most nodes are leaves
_NO_KEYS: dict[str, Node] = {}


@dataclass(frozen=True, slots=True)
class PythonFiles:
    """The code that a document brings: the file it names, then those it imports.

    `beside` are the modules in their folders.
    """

    files: tuple[SourceFile, ...]
    beside: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: its data and the places of its values, and the code that it names."""

    file: SourceFile
    index: int
    data: Any
    root: Node
    code: PythonFiles | None = None

    def span_of(self, location: Sequence[int | str]) -> Span:
        """The place of the value at `location`; of its nearest parent when it is not there."""
        return self._span(self._walk(location)[0])

    def key_span_of(self, location: Sequence[int | str]) -> Span:
        """The place of the key that leads to `location`; of the value when a list holds it."""
        parent, rest = self._walk(location[:-1])
        key = parent.keys.get(str(location[-1])) if not rest and location else None
        return self._span(key) if key else self.span_of(location)

    def _walk(self, location: Sequence[int | str]) -> tuple[Node, list[int | str]]:
        node, rest = self.root, list(location)
        while rest and (child := node.children.get(rest[0])) is not None:
            node = child
            rest.pop(0)
        return node, rest

    def _span(self, node: Node) -> Span:
        return Span(node.path, node.line + 1, node.column + 1, node.end_column + 1)


class _Refused(Exception):
    """The rest of this file cannot be read; its diagnostic is recorded."""


def read_documents(file: SourceFile, diagnostics: Diagnostics, *, is_foreign: bool = False) -> list[Document]:
    """Read every document of a file. A defect that hides the rest of the file ends it with a diagnostic.

    What is foreign was not written for Kubernetes: it is YAML 1.2, its keys may be numbers, and it may be larger.
    """
    if has_hidden(file, diagnostics, "remove it, or write it as an escape in double quotes"):
        return []
    documents: list[Document] = []
    try:
        for data, root in _Builder(file, diagnostics, is_foreign).documents():
            if data is not None:
                documents.append(Document(file, len(documents), data, root))
    except _Refused:
        pass
    except yaml.MarkedYAMLError as error:
        place = _mark_span(file, error.problem_mark or error.context_mark)
        if error.problem == _SCANNER_DEPTH:
            diagnostics.add("KR007", f"nested deeper than {MAX_DEPTH} levels", place)
        else:
            diagnostics.add("KR001", _yaml_problem(error), place)
    except (yaml.YAMLError, RecursionError) as error:
        diagnostics.add("KR001", f"not well-formed YAML: {type(error).__name__}", Span(file.path, 1, 1))
    return documents


def has_hidden(file: SourceFile, diagnostics: Diagnostics, help: str) -> bool:
    """Whether the file has a character that no reviewer sees; the first is reported."""
    hidden = HIDDEN.search(file.text)
    if hidden:
        line = file.text.count("\n", 0, hidden.start()) + 1
        column = hidden.start() - file.text.rfind("\n", 0, hidden.start())
        span = Span(file.path, line, column, column + 1)
        diagnostics.add("KR008", f"hidden character U+{ord(hidden[0]):04X}", span, help=help)
    return hidden is not None


def _yaml_problem(error: yaml.MarkedYAMLError) -> str:
    parts = [part for part in (error.context, error.problem) if part]
    return "not well-formed YAML: " + ", ".join(parts).replace("\n", " ")


def _mark_span(file: SourceFile, mark: Any) -> Span:
    return Span(file.path, mark.line + 1, mark.column + 1) if mark else Span(file.path, 1, 1)


class _Builder:
    """Builds data and nodes from parse events. One instance reads one file."""

    def __init__(self, file: SourceFile, diagnostics: Diagnostics, is_foreign: bool) -> None:
        self._file = file
        self._is_foreign = is_foreign
        self._most = MAX_FOREIGN_NODES if is_foreign else MAX_NODES
        self._diagnostics = diagnostics
        self._parser = Parser(file.text)
        self._nodes = 0

    def documents(self) -> Iterator[tuple[Any, Node]]:
        """Each document's data and root node. Raises yaml.YAMLError and _Refused."""
        get_event = self._parser.get_event
        while True:
            event = get_event()
            if isinstance(event, yaml.StreamEndEvent):
                return
            if isinstance(event, yaml.DocumentStartEvent):
                yield self._value(get_event(), 0)

    def _value(self, event: Any, depth: int) -> tuple[Any, Node]:
        self._guard(event, depth)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        start = event.start_mark
        node = Node(self._file.path, start.line, start.column, start.column + 1, is_leaf=False)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(node, depth), node
        return self._mapping(node, depth), node

    def _guard(self, event: Any, depth: int) -> None:
        self._nodes += 1
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            self._refuse(
                "KR003",
                f"anchors and aliases are not accepted (`{event.anchor}`)",
                event,
                "write the value out",
            )
        if depth > MAX_DEPTH or self._nodes > self._most:
            limit = (
                f"nested deeper than {MAX_DEPTH} levels" if depth > MAX_DEPTH else f"more than {self._most:,} values"
            )
            self._refuse("KR007", limit, event, None)
        if event.tag is not None and event.tag != "!":
            self._refuse(
                "KR004",
                f"the tag `{event.tag}` is not accepted",
                event,
                "remove it; quote the value if it must be a string",
            )

    def _refuse(self, code: str, message: str, event: Any, help: str | None) -> None:
        self._diagnostics.add(code, message, _mark_span(self._file, event.start_mark), help=help)
        raise _Refused

    def _scalar(self, event: Any) -> tuple[Any, Node]:
        start, end = event.start_mark, event.end_mark
        end_column = end.column if end.line == start.line else start.column + 1
        node = Node(self._file.path, start.line, start.column, end_column)
        if not event.implicit[0] or event.style not in (None, ""):
            return event.value, node
        if is_ambiguous(event.value):
            if self._is_foreign:
                return event.value, node
            self._diagnostics.add(
                "KR005",
                f"the unquoted `{event.value[:40]}` means different things to different YAML parsers",
                self._span(node),
                help=f'write "{event.value[:40]}" in quotes if it is text, or the plain form of the value',
            )
            return event.value, node
        return resolve(event.value), node

    def _sequence(self, node: Node, depth: int) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := self._parser.get_event(), yaml.SequenceEndEvent):
            value, child = self._value(event, depth + 1)
            node.children[len(items)] = child
            items.append(value)
        return items

    def _mapping(self, node: Node, depth: int) -> dict[str, Any]:
        data: dict[str, Any] = {}
        while not isinstance(event := self._parser.get_event(), yaml.MappingEndEvent):
            key, key_node = self._key(event, depth)
            value, child = self._value(self._parser.get_event(), depth + 1)
            if key in data:
                first = Label(self._span(node.keys[key]), "first here")
                self._diagnostics.add(
                    "KR002",
                    f"the key `{key}` stands twice",
                    self._span(key_node),
                    labels=[first],
                    help="keep one of the two",
                )
                continue
            data[key] = value
            node.keys[key] = key_node
            node.children[key] = child
        return data

    def _key(self, event: Any, depth: int) -> tuple[str, Node]:
        if not isinstance(event, (yaml.ScalarEvent, yaml.AliasEvent)):
            self._refuse("KR001", "a key must be a plain string", event, None)
        key, node = self._value(event, depth + 1)
        if not isinstance(key, str) and self._is_foreign and isinstance(event, yaml.ScalarEvent):
            return str(event.value), node
        if not isinstance(key, str):
            self._refuse("KR001", f"the key `{event.value}` is not a string", event, "put it in quotes")
        return key, node

    def _span(self, node: Node) -> Span:
        return Span(self._file.path, node.line + 1, node.column + 1, node.end_column + 1)
