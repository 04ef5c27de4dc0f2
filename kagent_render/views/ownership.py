"""Who applied a live object, and what goes from it because it is not applied any more.

Server-side apply removes what the same manager applied before and leaves out now (kubernetes.io, `Server-Side Apply`);
client-side apply removes what `last-applied-configuration` has and the new manifest does not.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

DEFAULT_MANAGER = "kagent-render"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
# Argo CD, Flux, ours, and kubectl by hand: whoever comes first of those that applied an object will do it again.
_APPLIERS = ("argocd-controller", "kustomize-controller", DEFAULT_MANAGER, "kubectl")
Object = Mapping[str, Any]


def manager_of(live: Object) -> str:
    """The manager that applied the object from the server's side before; ours, if none did."""
    fields = live["metadata"].get("managedFields") or ()
    found = [item["manager"] for item in fields if item.get("operation") == "Apply" and not item.get("subresource")]
    known = [name for name in _APPLIERS if name in found]
    return str((known or (found if len(found) == 1 else []) or [DEFAULT_MANAGER])[0])


def writers(live: Object, applier: str) -> list[str]:
    """Who wrote to an object besides who applies it; what controllers write of its status does not count."""
    fields = live["metadata"].get("managedFields") or ()
    return sorted({str(item["manager"]) for item in fields if not item.get("subresource")} - {applier})


def without_dropped(planned: Object, live: Object, rendered: Object) -> dict[str, Any]:
    """The planned object without what a client-side apply set before and the rendered object does not set."""
    left: dict[str, Any] = copy.deepcopy(dict(planned))
    text = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    try:
        earlier = json.loads(text) if text else {}
    except ValueError:
        earlier = {}  # not a record that kubectl could use either
    if isinstance(earlier, Mapping):
        _drop(left, earlier, _with_annotations(rendered))
    return left


def _with_annotations(rendered: Object) -> Object:
    # The record itself is an annotation, so for kubectl annotations never go as a whole: others' stay.
    metadata = rendered.get("metadata")
    if not isinstance(metadata, Mapping):
        return rendered
    return {**rendered, "metadata": {"annotations": {}, **metadata}}


def _drop(planned: Any, earlier: Any, rendered: Any) -> None:
    if isinstance(planned, dict) and isinstance(earlier, Mapping) and isinstance(rendered, Mapping):
        for key in [key for key in earlier if key in planned]:
            if key in rendered:
                _drop(planned[key], earlier[key], rendered[key])
            else:
                del planned[key]
    elif isinstance(planned, list):
        names, wanted = _named(earlier), _named(rendered)
        if names is not None and wanted is not None:
            _drop_items(planned, names, wanted)


def _drop_items(planned: list[Any], earlier: Mapping[str, Any], rendered: Mapping[str, Any]) -> None:
    for item in list(planned):
        name = str(item.get("name")) if isinstance(item, Mapping) else ""
        if name in earlier and name not in rendered:
            planned.remove(item)
        elif name in earlier:
            _drop(item, earlier[name], rendered[name])


def _named(items: Any) -> dict[str, Any] | None:
    """The items of a list that is merged by name; None for any other."""
    if not isinstance(items, list) or not all(isinstance(item, Mapping) and "name" in item for item in items):
        return None
    return {item["name"]: item for item in items}
