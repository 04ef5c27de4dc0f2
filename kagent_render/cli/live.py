"""What the cluster holds of the rendered objects now, and what it would hold after they are applied."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kagent_render.cli.kubectl import Kubectl, Object, Resource, group_of
from kagent_render.targets.registry import KINDS
from kagent_render.views.object_diff import Identity, identity
from kagent_render.views.ownership import LAST_APPLIED, manager_of, without_dropped, writers

OURS = "app.kubernetes.io/managed-by=kagent-render"
_BY_SERVER = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink")


@dataclass(frozen=True, slots=True)
class Change:
    """The objects `before` and `after` an apply; `unserved` are the rendered ones whose kind the cluster lacks.

    `others` are the managers that wrote to an object beside the one that would apply it.
    """

    before: list[Object]
    after: list[Object]
    unserved: list[Object]
    others: dict[Identity, list[str]]


def change(rendered: Sequence[Object], kubectl: Kubectl, manager: str | None) -> Change:
    """Compare with the cluster by a dry run, as `manager` or as whoever applied an object before. Raises UsageError."""
    resources = {(item.group, item.kind): item for item in kubectl.resources()}
    placed = place(rendered, resources.values(), kubectl)
    served = [item for item in placed if (group_of(item), item["kind"]) in resources]
    live = {identity(item): item for item in kubectl.live(served)}
    there = [item for item in served if identity(item) in live]
    planned = _planned(there, live, kubectl, manager)
    new = [item for item in placed if identity(item) not in live]
    left = _left_over(placed, resources.values(), kubectl)
    before = [_as_written(item) for item in (*live.values(), *left)]
    unserved = [item for item in placed if item not in served]
    others = {key: writers(item, manager or manager_of(item)) for key, item in live.items()}
    return Change(before, [*map(_as_written, planned), *new], unserved, others)


def _planned(
    rendered: Sequence[Object], live: Mapping[Identity, Object], kubectl: Kubectl, manager: str | None
) -> list[Object]:
    by_manager: dict[str, list[Object]] = {}
    for item in rendered:
        by_manager.setdefault(manager or manager_of(live[identity(item)]), []).append(item)
    wanted = {identity(item): item for item in rendered}
    planned = [item for name in sorted(by_manager) for item in kubectl.applied(by_manager[name], name)]
    return [without_dropped(item, live[identity(item)], wanted[identity(item)]) for item in planned]


def place(rendered: Iterable[Object], resources: Iterable[Resource], kubectl: Kubectl) -> list[Object]:
    """The objects as their YAML reads back, each in the namespace it goes to: the context's, where it names none."""
    objects = [json.loads(json.dumps(item)) for item in rendered]
    namespaced = {(item.group, item.kind) for item in resources if item.is_namespaced}
    homeless = [item for item in objects if not item["metadata"].get("namespace")]
    homeless = [item for item in homeless if (group_of(item), item["kind"]) in namespaced]
    default = kubectl.namespace() if homeless else ""
    for item in homeless:
        item["metadata"]["namespace"] = default
    return objects


def _left_over(rendered: Sequence[Object], resources: Iterable[Resource], kubectl: Kubectl) -> Iterator[Object]:
    """What is labelled as ours in the namespaces that are written to, and is not rendered any more."""
    ours = [item for item in resources if item.kind in KINDS]
    known = {identity(item) for item in rendered}
    namespaces = sorted({item["metadata"]["namespace"] for item in rendered if item["metadata"].get("namespace")})
    found = [
        item
        for namespace in namespaces
        for item in kubectl.labelled([one for one in ours if one.is_namespaced], OURS, namespace)
    ]
    clusterwide = kubectl.labelled([one for one in ours if not one.is_namespaced], OURS, None)
    for item in (*found, *_bound_to(namespaces, clusterwide)):
        # What a controller makes of our objects often has their labels; it goes when they go.
        if identity(item) not in known and not item["metadata"].get("ownerReferences"):
            yield item


def _bound_to(namespaces: Sequence[str], clusterwide: Sequence[Object]) -> Iterator[Object]:
    """The ClusterRoleBindings of accounts in these namespaces and their ClusterRoles: others are other people's."""
    bindings = [
        item
        for item in clusterwide
        if any(subject.get("namespace") in namespaces for subject in item.get("subjects") or ())
    ]
    roles = {item["roleRef"]["name"] for item in bindings}
    yield from bindings
    yield from (item for item in clusterwide if item["kind"] == "ClusterRole" and item["metadata"]["name"] in roles)


def _as_written(item: Object) -> Object:
    """The object without what the server and its controllers write."""
    metadata = {key: value for key, value in item["metadata"].items() if key not in _BY_SERVER}
    annotations = {key: value for key, value in metadata.pop("annotations", {}).items() if key != LAST_APPLIED}
    metadata |= {"annotations": annotations} if annotations else {}
    return {key: value for key, value in item.items() if key != "status"} | {"metadata": metadata}
