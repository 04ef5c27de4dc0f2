"""`tools.lock`: what MCP servers said of their tools when it was written, beside the specs or in an environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kagent_render.diagnostics import Diagnostics, Span
from kagent_render.source.discover import SourceFile
from kagent_render.source.document import Document, Location, read_documents
from kagent_render.source.lock_files import lock_files

FILE = "tools.lock"
# MCP's own word for them: hints, "untrusted unless from a trusted server". They are for the reader of the lock.
HINTS = ("readOnlyHint", "destructiveHint")
_FORM = "tools: {<namespace>/<Tool>: [{name: …, description: …, inputSchema: {…}}]}; `kagent-render lock` writes it"
_FIELDS: Mapping[str, type] = {"name": str, "description": str, "inputSchema": dict, "annotations": dict}


@dataclass(frozen=True, slots=True)
class LockedTool:
    """A tool of a server, with its place in the lock."""

    name: str
    description: str
    schema: Mapping[str, Any]
    hints: Mapping[str, bool]
    document: Document
    location: Location

    def span_of(self, location: Location = ()) -> Span:
        """The place of a value of the tool."""
        return self.document.span_of((*self.location, *location))


@dataclass(frozen=True, slots=True)
class LockedServer:
    """The tools of one Tool document, by name, and where in the lock they stand."""

    tools: Mapping[str, LockedTool]
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class ToolLock:
    """Servers by the `namespace/name` of their Tool, and the files they were read from. No files: nothing is locked."""

    files: tuple[SourceFile, ...] = ()
    servers: Mapping[str, LockedServer] = field(default_factory=dict)
    is_whole: bool = True

    def tools_of(self, key: str) -> Mapping[str, LockedTool] | None:
        """What is locked of a Tool, which may be nothing; None when there is no lock, or one that cannot be read."""
        if not self.files or not self.is_whole:
            return None
        server = self.servers.get(key)
        return server.tools if server else {}


def key_of(namespace: str | None, name: str) -> str:
    """How the lock names a Tool: as its document does."""
    return f"{namespace}/{name}" if namespace else name


def read_tool_lock(paths: Sequence[str], environment: str | None, diagnostics: Diagnostics) -> ToolLock:
    """Read every lock there is; a malformed one is a KR372."""
    errors = diagnostics.error_count
    files = lock_files(paths, environment, FILE, diagnostics)
    servers = servers_in(files, diagnostics)
    return ToolLock(tuple(files), servers, is_whole=diagnostics.error_count == errors)


def servers_in(files: Sequence[SourceFile], diagnostics: Diagnostics) -> dict[str, LockedServer]:
    """What the files lock; a later one wins."""
    servers: dict[str, LockedServer] = {}
    for file in files:
        for document in read_documents(file, diagnostics):
            servers |= _servers(document, diagnostics)
    return servers


def _servers(document: Document, diagnostics: Diagnostics) -> dict[str, LockedServer]:
    data = document.data if isinstance(document.data, dict) else {}
    tools = data.get("tools")
    if not isinstance(tools, dict) or set(data) != {"tools"}:
        diagnostics.add("KR372", "the lock is not a mapping of tools", document.span_of(()), help=_FORM)
        return {}
    found = {}
    for key, items in tools.items():
        place: Location = ("tools", key)
        if isinstance(items, list):
            locked = {tool.name: tool for tool in _tools(items, place, document, diagnostics)}
            found[key] = LockedServer(locked, document.key_span_of(place))
        else:
            diagnostics.add("KR372", f"`{key}` is not a list of tools", document.span_of(place), help=_FORM)
    return found


def _tools(items: list[Any], place: Location, document: Document, diagnostics: Diagnostics) -> Iterator[LockedTool]:
    seen: set[str] = set()
    for index, item in enumerate(items):
        location = (*place, index)
        problem = _problem(item, seen)
        if problem:
            diagnostics.add("KR372", problem, document.span_of(location), help=_FORM)
            continue
        seen.add(item["name"])
        hints = item.get("annotations", {})
        yield LockedTool(item["name"], item.get("description", ""), item["inputSchema"], hints, document, location)


def _problem(item: Any, seen: set[str]) -> str | None:
    """Why an entry is none, or nothing."""
    if not isinstance(item, dict) or not {"name", "inputSchema"} <= set(item):
        return "a locked tool has a `name` and an `inputSchema`"
    for name, value in item.items():
        if name not in _FIELDS:
            return f"a locked tool has no `{name}`"
        if not isinstance(value, _FIELDS[name]):
            return f"`{name}` of a locked tool is not {'a text' if _FIELDS[name] is str else 'a mapping'}"
    for hint, value in item.get("annotations", {}).items():
        if hint not in HINTS or not isinstance(value, bool):
            return f"`annotations` are {' and '.join(HINTS)}, true or false"
    return f"`{item['name']}` is locked twice" if item["name"] in seen else None
