"""Helm's releases as it stores them: a Secret a revision, JSON in gzip in base64 (helm.sh/helm/v3/pkg/storage/driver).

Only Secrets that Helm labelled are asked for. What may be a credential is masked before a model sees it.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kagent_runtime.components.cluster import CONNECTION, request
from kagent_runtime.components.failures import ToolFailureError

MASK = "[masked]"
MAX_RELEASE_BYTES = 16 << 20  # unpacked; Helm's own limit is the size of a Secret, packed
_CREDENTIAL = re.compile(r"(passw(or)?d|secret|token|credential|api[-_]?key|private[-_]?key)", re.IGNORECASE)
Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Release:
    """One revision of a release."""

    namespace: str
    data: dict[str, Any]

    @property
    def name(self) -> str:
        """The release's name."""
        return str(self.data.get("name", ""))

    @property
    def revision(self) -> int:
        """Its number, from 1."""
        return int(self.data.get("version") or 0)

    @property
    def chart(self) -> str:
        """Name and version of the chart."""
        metadata = (self.data.get("chart") or {}).get("metadata") or {}
        return f"{metadata.get('name', '')}-{metadata.get('version', '')}"

    @property
    def info(self) -> dict[str, Any]:
        """State, times and description."""
        return self.data.get("info") or {}


def run(operation: str, namespaces: list[str], arguments: Arguments, timeout: float) -> str:
    """Carry out an operation. Blocks. Raises ToolFailureError and ClusterError."""
    namespace = granted_namespace(namespaces, arguments.get("namespace"))
    return _OPERATIONS[operation](namespace, arguments, timeout)


def granted_namespace(granted: list[str], asked: str | None) -> str | None:
    """The namespace that is meant; None is all of them, which has to be granted. Raises ToolFailureError."""
    if granted == ["*"]:
        return asked or None
    allowed = granted or [CONNECTION.namespace]
    chosen = asked or (CONNECTION.namespace if CONNECTION.namespace in allowed else allowed[0])
    if chosen not in allowed:
        raise ToolFailureError(f"namespace `{chosen}` is not granted; granted: {', '.join(allowed)}")
    return chosen


def releases(namespace: str | None, timeout: float, name: str | None = None) -> list[Release]:
    """The revisions, in the order of namespace, name and number. Raises ToolFailureError and ClusterError."""
    place = f"/namespaces/{namespace}" if namespace else ""
    selector = "owner=helm" + (f",name={checked_name(name)}" if name else "")
    data = json.loads(request(f"/api/v1{place}/secrets", {"labelSelector": selector}, "application/json", timeout))
    found = [Release(item["metadata"]["namespace"], _unpacked(item)) for item in data.get("items") or ()]
    return sorted(found, key=lambda item: (item.namespace, item.name, item.revision))


def checked_name(name: str) -> str:
    """The name of a release, which is safe in a selector and on a command line. Raises ToolFailureError."""
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9.]{0,51}[a-z0-9])?", name):
        raise ToolFailureError(f"`{name[:60]}` is not the name of a release")
    return name


def _unpacked(secret: dict[str, Any]) -> dict[str, Any]:
    try:
        packed = base64.b64decode(base64.b64decode(secret["data"]["release"]))
        raw = packed
        if packed[:2] == b"\x1f\x8b":  # old releases are not compressed
            raw = zlib.decompressobj(wbits=31).decompress(packed, MAX_RELEASE_BYTES)
        release: dict[str, Any] = json.loads(raw)
    except (KeyError, ValueError, binascii.Error, zlib.error, gzip.BadGzipFile):
        raise ToolFailureError(f"the Secret `{secret['metadata']['name']}` does not hold a release of Helm") from None
    return release


def _one(namespace: str | None, arguments: Arguments, timeout: float) -> Release:
    name, revision = str(arguments["release"]), arguments.get("revision")
    found = [item for item in releases(namespace, timeout, name) if revision in (None, item.revision)]
    if not found:
        what = f"revision {revision} of the release" if revision else "release"
        raise ToolFailureError(f"there is no {what} `{name}` in {namespace or 'any namespace'}")
    return found[-1]


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
    revisions = releases(namespace, timeout, str(arguments["release"]))
    if not revisions:
        raise ToolFailureError(f"there is no release `{arguments['release']}` in {namespace or 'any namespace'}")
    rows = ((*_row(item)[2:], str(item.info.get("description", ""))) for item in revisions)
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
    return _yaml(masked(given)) if given else f"`{item.name}` was installed with the chart's own values."


def masked(value: Any) -> Any:
    """A copy in which what goes by the name of a credential is not readable."""
    if isinstance(value, dict):
        return {key: MASK if _is_credential(key, item) else masked(item) for key, item in value.items()}
    return [masked(item) for item in value] if isinstance(value, list) else value


def _is_credential(key: str, value: Any) -> bool:
    return bool(_CREDENTIAL.search(str(key))) and isinstance(value, (str, int)) and value not in ("", True, False)


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
            yield _yaml(_without_contents(document)) if document.get("kind") == "Secret" else part.lstrip("\n")


def _without_contents(secret: dict[str, Any]) -> dict[str, Any]:
    parts = {name: dict.fromkeys(secret[name], MASK) for name in ("data", "stringData") if secret.get(name)}
    return secret | parts


def _yaml(value: Any) -> str:
    import yaml

    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=120)
    return text


_OPERATIONS: dict[str, Callable[[str | None, Arguments, float], str]] = {
    "list": _list,
    "status": _status,
    "values": _values,
    "manifest": _manifest,
    "history": _history,
}
