"""References to a pod's own fields, in variables and in files.

Source: k8s.io/kubernetes, pkg/apis/core/validation/validation.go: validateObjectFieldSelector,
validateContainerResourceFieldSelector.
"""

from __future__ import annotations

import re

from kagent_render.rules.grammar import annotation_key, qualified_name
from kagent_render.rules.walk import JSON, Found, not_one_of, one_of
from kagent_render.schemas import Defect
from kagent_render.schemas.validator import Path

VARIABLE_FIELDS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
FILE_FIELDS = ("metadata.name", "metadata.namespace", "metadata.labels", "metadata.annotations", "metadata.uid")
_RESOURCES = tuple(
    f"{kind}.{name}" for kind in ("limits", "requests") for name in ("cpu", "memory", "ephemeral-storage")
)
_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['(.*)'\]")


def field_reference(reference: JSON, path: Path, fields: tuple[str, ...]) -> Found:
    """A field of the pod that may be read there, or one label or annotation."""
    yield from one_of(reference, "apiVersion", ("v1",), path)
    field = reference.get("fieldPath") or ""
    found = _SUBSCRIPT.fullmatch(field)
    if found is None:
        if field not in fields:
            yield Defect((*path, "fieldPath"), not_one_of(field, fields))
    elif message := (qualified_name if found[1] == "labels" else annotation_key)(found[2]):
        yield Defect((*path, "fieldPath"), message)


def resource_reference(reference: JSON, path: Path) -> Found:
    """A request or limit of the container."""
    resource = reference.get("resource") or ""
    if resource not in _RESOURCES and not resource.startswith(("limits.hugepages-", "requests.hugepages-")):
        yield Defect((*path, "resource"), not_one_of(resource, _RESOURCES))
