"""Requests and limits.

Source: k8s.io/kubernetes, pkg/apis/core/validation/validation.go: validateResourceRequirements.
"""

from __future__ import annotations

from kagent_render.rules.grammar import qualified_name, quantity, shown
from kagent_render.rules.walk import JSON, Found, part
from kagent_render.schemas import Defect
from kagent_render.schemas.validator import Path

_STANDARD = ("cpu", "memory", "ephemeral-storage")
_MILLI_ONLY = ("memory", "ephemeral-storage")


def resources(item: JSON, path: Path) -> Found:
    """Of a container: known names, amounts that are not negative, no request above its limit."""
    limits = part(item, "limits")
    for kind in ("limits", "requests"):
        for name, value in part(item, kind).items():
            place = (*path, kind, name)
            yield from resource_name(name, place)
            yield from amount(value, place)
    for name, value in part(item, "requests").items():
        most = quantity(limits[name] or 0) if name in limits else None
        wanted = quantity(value or 0)
        if most is not None and wanted is not None and wanted > most:
            yield Defect((*path, "requests", name), f"{shown(value)} is more than the limit {shown(limits[name])}")
        elif most is None and limits and not _may_overcommit(name):
            yield Defect((*path, "limits", name), "is missing, and has to be the same as the request")


def resource_name(name: str, path: Path) -> Found:
    """ValidateContainerResourceName: a standard name, or one with a domain."""
    if message := qualified_name(name):
        yield Defect(path, message)
    elif "/" not in name and name not in _STANDARD and not name.startswith("hugepages-"):
        yield Defect(path, f"is not a resource: one of {', '.join(_STANDARD)}, or one with a domain")


def amount(value: object, path: Path) -> Found:
    """ValidateResourceQuantityValue and quantity.go: a quantity that is not negative."""
    number = quantity(value if isinstance(value, int | float | str) else 0)
    if number is None:
        yield Defect(path, f"{shown(value)} is not a quantity such as 500m or 1Gi")
    elif number < 0:
        yield Defect(path, f"{shown(value)} is less than 0")


def _may_overcommit(name: str) -> bool:
    return name in _STANDARD or "/" not in name
