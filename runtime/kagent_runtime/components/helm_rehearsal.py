"""What the API server says of a change before it is made: Helm's own dry run renders, but sends it no object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kagent_runtime.components.cluster import ClusterError, send
from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.components.kubernetes_discovery import Served, served
from kagent_runtime.components.kubernetes_plan import APPLY_PATCH

_MAX_REFUSALS = 10
_MANAGER = "helm"  # who owns the fields when Helm does it


def rehearse(wanted: list[dict[str, Any]], unwanted: list[dict[str, Any]], namespace: str, timeout: float) -> None:
    """Apply and delete without effect. Blocks. Raises ToolFailureError with what is refused, and ClusterError."""
    kinds = {(item.group, item.kind): item for item in served(timeout)}
    refusals = [text for item in wanted if (text := _refusal(item, kinds, namespace, timeout, is_wanted=True))]
    refusals += [text for item in unwanted if (text := _refusal(item, kinds, namespace, timeout, is_wanted=False))]
    if refusals:
        more = len(refusals) - _MAX_REFUSALS
        shown = [*refusals[:_MAX_REFUSALS], *([f"… and {more} more"] if more > 0 else [])]
        raise ToolFailureError("the API server would refuse this change:\n" + "\n".join(shown))


def _refusal(
    item: dict[str, Any],
    kinds: Mapping[tuple[str, str], Served],
    namespace: str,
    timeout: float,
    *,
    is_wanted: bool,
) -> str:
    title = f"{item.get('kind')}/{item['metadata'].get('name')}"
    group, _, version = str(item.get("apiVersion") or "").rpartition("/")
    known = kinds.get((group, str(item.get("kind"))))
    if known is None:
        return f"{title}: the API server does not serve {item.get('apiVersion')}" if is_wanted else ""
    path = "/".join(_path(known, group, version, item["metadata"], namespace))
    try:
        if is_wanted:
            query = {"dryRun": "All", "fieldManager": _MANAGER, "fieldValidation": "Strict", "force": "true"}
            send("PATCH", path, query, timeout, body=item, content_type=APPLY_PATCH)
        else:
            send("DELETE", path, {}, timeout, body={"kind": "DeleteOptions", "apiVersion": "v1", "dryRun": ["All"]})
    except ClusterError as error:
        is_gone = error.status == 404 and not is_wanted
        return "" if is_gone or "dry run" in str(error) else f"{title}: {error}"  # some webhooks take no dry run
    return ""


def _path(known: Served, group: str, version: str, metadata: Mapping[str, Any], namespace: str) -> Iterator[str]:
    yield f"/apis/{group}/{version}" if group else f"/api/{version}"
    if known.is_namespaced:
        yield from ("namespaces", str(metadata.get("namespace") or namespace))
    yield from (known.resource, str(metadata.get("name")))
