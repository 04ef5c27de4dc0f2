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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kagent_runtime.components.cluster import CONNECTION, request
from kagent_runtime.components.failures import ToolFailureError

Arguments = Mapping[str, Any]
MASK = "[masked]"
MAX_RELEASE_BYTES = 16 << 20  # unpacked; Helm's own limit is the size of a Secret, packed
_CREDENTIAL = re.compile(r"(passw(or)?d|secret|token|credential|api[-_]?key|private[-_]?key)", re.IGNORECASE)


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


def revisions(namespace: str | None, arguments: Arguments, timeout: float) -> list[Release]:
    """Those of the release that a call names, the oldest first. Raises ToolFailureError if there is none."""
    found = releases(namespace, timeout, str(arguments["release"]))
    if not found:
        raise ToolFailureError(f"there is no release `{arguments['release']}` in {namespace or 'any namespace'}")
    return found


def revision_of(found: Sequence[Release], revision: int | None) -> Release:
    """The revision of that number, or the newest. Raises ToolFailureError that says which are stored."""
    wanted = [item for item in found if revision in (None, item.revision)]
    if not wanted:
        known = ", ".join(str(item.revision) for item in found)
        where = f"`{found[-1].name}` in {found[-1].namespace}"
        raise ToolFailureError(f"there is no revision {revision} of the release {where}; stored are: {known}")
    return wanted[-1]


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


def masked(value: Any) -> Any:
    """A copy in which what goes by the name of a credential is not readable."""
    if isinstance(value, dict):
        return {key: MASK if is_credential(key, item) else masked(item) for key, item in value.items()}
    return [masked(item) for item in value] if isinstance(value, list) else value


def is_credential(key: str, value: Any) -> bool:
    """Whether a value goes by the name of a credential."""
    return bool(_CREDENTIAL.search(str(key))) and isinstance(value, (str, int)) and value not in ("", True, False)


def to_yaml(value: Any) -> str:
    """As a model is shown it: in the order in which it was written."""
    import yaml

    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=120)
    return text
