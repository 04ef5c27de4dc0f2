"""ConfigMaps, PersistentVolumeClaims and the lists of Secrets of a ServiceAccount.

Source: k8s.io/kubernetes, pkg/apis/core/validation/validation.go: ValidateConfigMap, ValidatePersistentVolumeClaimSpec.
"""

from __future__ import annotations

from kagent_render.rules.grammar import quantity, shown, subdomain
from kagent_render.rules.selectors import label_selector
from kagent_render.rules.volumes import data_keys
from kagent_render.rules.walk import JSON, Found, follows, not_one_of, part, required, texts
from kagent_render.schemas import Defect
from kagent_render.schemas.validator import Path

_ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")


def config_map(item: JSON, path: Path) -> Found:
    """Keys. The size of all together is a check of its own (checks/size.py), which warns before the limit."""
    yield from data_keys(item, ("data", "binaryData"), path)


def persistent_volume_claim(item: JSON, path: Path) -> Found:
    """Modes, size and class."""
    spec, place = part(item, "spec"), (*path, "spec")
    modes = [text for text, _ in texts(spec, "accessModes", place)]
    yield from required(spec, "accessModes", place)
    for index, mode in enumerate(modes):
        if mode not in _ACCESS_MODES:
            yield Defect((*place, "accessModes", index), not_one_of(mode, _ACCESS_MODES))
    if "ReadWriteOncePod" in modes and set(modes) != {"ReadWriteOncePod"}:
        yield Defect((*place, "accessModes"), "may have no other mode beside `ReadWriteOncePod`")
    yield from _size(part(spec, "resources", "requests"), (*place, "resources", "requests"))
    for name in ("storageClassName", "volumeAttributesClassName"):
        yield from follows(spec, name, subdomain, place)
    modes_of_volume = ("Block", "Filesystem")
    if spec.get("volumeMode") not in (None, *modes_of_volume):
        yield Defect((*place, "volumeMode"), not_one_of(spec["volumeMode"], modes_of_volume))
    yield from label_selector(part(spec, "selector"), (*place, "selector"))


def _size(requests: JSON, path: Path) -> Found:
    for name, value in requests.items():
        if quantity(0 if value is None else value) is None:
            yield Defect((*path, name), f"{shown(value)} is not a quantity such as 1Gi")
    value = requests.get("storage")
    number = None if value is None else quantity(value)
    if value is None:
        yield Defect((*path, "storage"), "is missing")
    elif number is not None and number <= 0:
        yield Defect((*path, "storage"), f"{shown(value)} is not a size such as 1Gi")
