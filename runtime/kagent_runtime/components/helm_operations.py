"""The Helm operations that read: what each tells of the releases that are stored."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from kagent_runtime.components.helm_comparison import diff
from kagent_runtime.components.helm_releases import (
    MASK,
    Arguments,
    Release,
    granted_namespace,
    masked,
    releases,
    revision_of,
    revisions,
    to_yaml,
)


def run(operation: str, namespaces: list[str], arguments: Arguments, timeout: float) -> str:
    """Carry out an operation. Blocks. Raises ToolFailureError and ClusterError."""
    namespace = granted_namespace(namespaces, arguments.get("namespace"))
    return OPERATIONS[operation](namespace, arguments, timeout)


def _one(namespace: str | None, arguments: Arguments, timeout: float) -> Release:
    return revision_of(revisions(namespace, arguments, timeout), arguments.get("revision"))


def _list(namespace: str | None, arguments: Arguments, timeout: float) -> str:
    newest = {(item.namespace, item.name): item for item in releases(namespace, timeout)}
    wanted = str(arguments.get("filter") or "")
    rows = [item for item in newest.values() if wanted in item.name]
    if not rows:
        return f"There are no releases in {namespace or 'any namespace'}."
    return _table(("NAME", "NAMESPACE", "REVISION", "STATUS", "CHART", "UPDATED"), map(_row, rows))


def _row(item: Release) -> tuple[str, ...]:
    info = item.info
    updated = str(info.get("last_deployed", ""))[:19]
    return (item.name, item.namespace, str(item.revision), str(info.get("status", "")), item.chart, updated)


def _history(namespace: str | None, arguments: Arguments, timeout: float) -> str:
    found = revisions(namespace, arguments, timeout)
    rows = ((*_row(item)[2:], str(item.info.get("description", ""))) for item in found)
    return _table(("REVISION", "STATUS", "CHART", "UPDATED", "DESCRIPTION"), rows)


def _table(head: tuple[str, ...], rows: Any) -> str:
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _status(namespace: str | None, arguments: Arguments, timeout: float) -> str:
    # Not the notes: charts write credentials into them.
    item = _one(namespace, arguments, timeout)
    fields = {
        "Name": item.name,
        "Namespace": item.namespace,
        "Revision": item.revision,
        "Status": item.info.get("status", ""),
        "Chart": item.chart,
        "First deployed": item.info.get("first_deployed", ""),
        "Last deployed": item.info.get("last_deployed", ""),
        "Description": item.info.get("description", ""),
    }
    return "\n".join(f"{label}: {value}" for label, value in fields.items())


def _values(namespace: str | None, arguments: Arguments, timeout: float) -> str:
    item = _one(namespace, arguments, timeout)
    given = item.data.get("config") or {}
    return to_yaml(masked(given)) if given else f"`{item.name}` was installed with the chart's own values."


def _manifest(namespace: str | None, arguments: Arguments, timeout: float) -> str:
    item = _one(namespace, arguments, timeout)
    return "---\n".join(_documents(str(item.data.get("manifest") or "")))


def _documents(text: str) -> Iterator[str]:
    import yaml

    for part in re.split(r"^---.*$", text, flags=re.MULTILINE):
        if not part.strip():
            continue
        try:
            document = yaml.safe_load(part)
        except yaml.YAMLError:
            yield f"# a document that is not YAML, {len(part)} characters, left out\n"
            continue
        if isinstance(document, dict):
            yield to_yaml(_without_contents(document)) if document.get("kind") == "Secret" else part.lstrip("\n")


def _without_contents(secret: dict[str, Any]) -> dict[str, Any]:
    parts = {name: dict.fromkeys(secret[name], MASK) for name in ("data", "stringData") if secret.get(name)}
    return secret | parts


OPERATIONS: dict[str, Callable[[str | None, Arguments, float], str]] = {
    "list": _list,
    "status": _status,
    "values": _values,
    "manifest": _manifest,
    "history": _history,
    "diff": diff,
}
