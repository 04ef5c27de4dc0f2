"""Objects before and after, as data: which came, went or changed, and in which fields."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Object = Mapping[str, Any]
Identity = tuple[str, str, str, str]


class Absent:
    """A field that is not there, which is not the same as one that is null."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field: `path` as people write it, and the value on either side (ABSENT if there is none)."""

    path: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """One object that was `added`, `changed` or `removed`; `rolls_pods` when its pods are replaced."""

    action: str
    kind: str
    namespace: str
    name: str
    fields: tuple[FieldChange, ...] = ()
    rolls_pods: bool = False


def identity(item: Object) -> Identity:
    """Namespace, kind, name and group: what an API server tells objects apart by, in the order people read."""
    metadata = item["metadata"]
    group = str(item["apiVersion"]).rpartition("/")[0]
    return (metadata.get("namespace") or "", item["kind"], metadata["name"], group)


def by_identity(items: Iterable[Object]) -> dict[Identity, Object]:
    """The objects by their identity."""
    return {identity(item): item for item in items}


def changed_objects(before: Iterable[Object], after: Iterable[Object]) -> list[ObjectChange]:
    """Every object that differs, sorted by namespace, kind and name."""
    olds, news = by_identity(before), by_identity(after)
    found = (_change(key, olds.get(key), news.get(key)) for key in sorted({*olds, *news}))
    return [change for change in found if change is not None]


def _change(key: Identity, old: Object | None, new: Object | None) -> ObjectChange | None:
    namespace, kind, name, _ = key
    if old is None or new is None:
        return ObjectChange("added" if old is None else "removed", kind, namespace, name)
    fields = tuple(compare(old, new))
    if not fields:
        return None
    # The checksum says only that the config changed, which its ConfigMap shows.
    kept = tuple(field for field in fields if not _is_checksum(field.path))
    makes_pods = kind == "Deployment" or str(new.get("apiVersion")).startswith("serving.knative.dev/")
    rolls_pods = makes_pods and any(field.path.startswith("spec.template") for field in fields)
    return ObjectChange("changed", kind, namespace, name, kept, rolls_pods)


def _is_checksum(path: str) -> bool:
    return path.startswith("spec.template.metadata.annotations") and "checksum" in path


def compare(old: Any, new: Any, path: str = "") -> Iterator[FieldChange]:
    """The fields that differ between two values, in a stable order; an embedded JSON text is compared as data."""
    if old == new and type(old) is type(new):
        return
    old, new = _parsed(path, old), _parsed(path, new)
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _maps(old, new, path)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _lists(old, new, path)
    else:
        yield FieldChange(path, old, new)


def _parsed(path: str, value: Any) -> Any:
    if isinstance(value, str) and path.startswith("data.") and ".json" in path:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _maps(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[FieldChange]:
    for key in sorted({*old, *new}):
        below = _join(path, key)
        if key in old and key in new:
            yield from compare(old[key], new[key], below)
        else:
            yield FieldChange(below, _parsed(below, old.get(key, ABSENT)), _parsed(below, new.get(key, ABSENT)))


def _join(path: str, key: str) -> str:
    if any(char in key for char in "./") and not key.endswith(".json"):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


def _lists(old: Sequence[Any], new: Sequence[Any], path: str) -> Iterator[FieldChange]:
    olds, news = _keyed(old), _keyed(new)
    if olds is not None and news is not None:
        for key in sorted({*olds, *news}):
            yield from compare(olds.get(key, ABSENT), news.get(key, ABSENT), f"{path}[{key}]")
        shared = [key for key in olds if key in news], [key for key in news if key in olds]
    else:
        gone, come = _only_in(old, new), _only_in(new, old)
        yield from _unkeyed(gone, come, f"{path}[]")
        shared = _only_in(old, gone), _only_in(new, come)
    if shared[0] != shared[1]:
        yield FieldChange(f"{path} (order)", *shared)


def _unkeyed(gone: list[Any], come: list[Any], path: str) -> Iterator[FieldChange]:
    # Which item became which is a guess, except for one and one.
    if len(gone) == len(come) == 1:
        yield from compare(gone[0], come[0], path)
        return
    yield from (FieldChange(path, item, ABSENT) for item in gone)
    yield from (FieldChange(path, ABSENT, item) for item in come)


def _keyed(items: Sequence[Any]) -> dict[str, Any] | None:
    """The items by what people call them, if each has such a name and no two share it."""
    keys = [_name(item) for item in items]
    found = {key: item for key, item in zip(keys, items, strict=True) if key is not None}
    return found if len(found) == len(items) else None


def _name(item: Any) -> str | None:
    """A Kubernetes list's `name`, an agent's `id`; an AutoGen component is named in its config, or by its class."""
    if not isinstance(item, Mapping):
        return None
    config = item.get("config")
    names = (item.get("id"), item.get("name"), config.get("name") if isinstance(config, Mapping) else None)
    found = next((name for name in names if isinstance(name, str)), None)
    provider = item.get("provider")
    return found or (provider.rpartition(".")[2] if isinstance(provider, str) else None)


def _only_in(items: Sequence[Any], others: Sequence[Any]) -> list[Any]:
    left = list(others)
    found = []
    for item in items:
        if item in left:
            left.remove(item)
        else:
            found.append(item)
    return found
