"""What changed between two revisions of a release, from Helm's storage alone: values, objects and hooks.

What Secrets hold and what goes by the name of a credential is masked on both sides; that it changed is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff
from typing import Any

from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.components.helm_objects import Objects, objects, resource_of, title_of
from kagent_runtime.components.helm_releases import (
    MASK,
    Arguments,
    Release,
    is_credential,
    masked,
    revision_of,
    revisions,
    to_yaml,
)
from kagent_runtime.components.kubernetes_objects import difference

_CHANGED = "[masked, changed]"
_MARKS = {"added": "+", "removed": "-", "changed": "~"}


def diff(namespace: str | None, arguments: Arguments, timeout: float) -> str:
    """The newest revision against the one before, or those asked for. Raises ToolFailureError and ClusterError."""
    found = revisions(namespace, arguments, timeout)
    if len({item.namespace for item in found}) > 1:
        places = ", ".join(sorted({item.namespace for item in found}))
        raise ToolFailureError(f"there are releases of that name in {places}: `namespace` must name one")
    newer = revision_of(found, arguments.get("to"))
    older = revision_of(found, arguments.get("from") or _before(found, newer))
    if older is newer:
        raise ToolFailureError(f"`from` and `to` are both revision {newer.revision}")
    return "\n".join(_compared(older, newer))


def _before(found: list[Release], newer: Release) -> int:
    earlier = [item.revision for item in found if item.revision < newer.revision]
    if not earlier:
        raise ToolFailureError(f"no revision before {newer.revision} of `{newer.name}` is stored to compare it with")
    return earlier[-1]


def _compared(older: Release, newer: Release) -> Iterator[str]:
    yield f"release {newer.name} in namespace {newer.namespace}: revision {older.revision} to {newer.revision}"
    for item in (older, newer):
        yield f"revision {item.revision}: {item.chart}, {item.info.get('status', '')}, {_when(item)}"
    values = _values(older, newer)
    changes = [*_changes(_objects(older), _objects(newer), ""), *_changes(_hooks(older), _hooks(newer), "hook ")]
    yield "Values: " + ("changed" if values else "no changes")
    # Before any of the differences, so that none is missed where those are cut.
    counts = [f"{sum(one[0] == what for one in changes)} {what}" for what in _MARKS]
    yield f"Objects: {', '.join(counts)}"
    yield from (f"  {_MARKS[what]} {title}" for what, title, _ in changes)
    yield from (f"\nvalues\n{values}",) if values else ()
    yield from (f"\n{title}\n{text}" for what, title, text in changes if what != "removed")


def _when(item: Release) -> str:
    return str(item.info.get("last_deployed", ""))[:19]


def _values(older: Release, newer: Release) -> str:
    before, after = older.data.get("config") or {}, newer.data.get("config") or {}
    return _unified(masked(before), _masked_against(after, before))


def _masked_against(value: Any, before: Any) -> Any:
    """As `masked`, and says of a credential that it is another one than before."""
    if isinstance(value, dict):
        old = before if isinstance(before, dict) else {}
        return {
            key: _mask(item, old, key) if is_credential(key, item) else _masked_against(item, old.get(key))
            for key, item in value.items()
        }
    if isinstance(value, list):
        olds = before if isinstance(before, list) else []
        return [_masked_against(item, olds[index] if index < len(olds) else None) for index, item in enumerate(value)]
    return value


def _mask(value: Any, old: dict[str, Any], key: str) -> str:
    return _CHANGED if key in old and old[key] != value else MASK


def _unified(before: Any, after: Any) -> str:
    old, new = (to_yaml(value).splitlines() if value else [] for value in (before, after))
    return "\n".join(unified_diff(old, new, "before", "after", n=3, lineterm=""))


def _objects(release: Release) -> Objects:
    return objects(str(release.data.get("manifest") or ""))


def _hooks(release: Release) -> Objects:
    return objects("\n---\n".join(str(hook.get("manifest") or "") for hook in release.data.get("hooks") or ()))


def _changes(before: Objects, after: Objects, kind: str) -> Iterator[tuple[str, str, str]]:
    """Added, removed or changed; of which object; and how."""
    for key in sorted({*before, *after}):
        title, old, new = f"{kind}{title_of(key)}", before.get(key), after.get(key)
        if new is None:
            yield "removed", title, ""
        elif text := difference(old, new, resource_of(key[0]), names=("before", "after")):
            yield "added" if old is None else "changed", title, text
