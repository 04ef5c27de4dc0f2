"""Names, labels and annotations of objects and of pod templates.

Source: k8s.io/apimachinery, pkg/api/validation/objectmeta.go; the grammar of a kind's names is in that kind's
validation: k8s.io/kubernetes, pkg/apis/*/validation.
"""

from __future__ import annotations

from kagent_render.rules.grammar import (
    Grammar,
    annotation_key,
    label,
    label_1035,
    label_value,
    path_segment,
    qualified_name,
    subdomain,
)
from kagent_render.rules.walk import JSON, Found, follows, part, required, texts
from kagent_render.schemas import Defect
from kagent_render.schemas.validator import Path

ANNOTATIONS_BYTES = 256 << 10
_RBAC = ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")


def name_grammar(api_version: str, kind: str, minor: str) -> Grammar:
    """What the names of a kind have to be."""
    if (api_version, kind) == ("v1", "Service"):
        # RelaxedServiceNameValidation of pkg/features: on by default since 1.36.
        return label if int(minor.partition(".")[2]) >= 36 else label_1035
    if (api_version, kind) == ("policy/v1", "PodDisruptionBudget"):
        return path_segment  # ValidatePodDisruptionBudget does not look at its metadata
    is_rbac = api_version.startswith("rbac.authorization.k8s.io/") and kind in _RBAC
    return path_segment if is_rbac else subdomain


def metadata_defects(item: JSON, minor: str) -> Found:
    """ValidateObjectMeta: of the object itself."""
    metadata, path = part(item, "metadata"), ("metadata",)
    yield from required(metadata, "name", path, name_grammar(item["apiVersion"], item["kind"], minor))
    yield from follows(metadata, "namespace", label, path)
    yield from template_metadata(metadata, path)
    for text, place in texts(metadata, "finalizers", path):
        if message := qualified_name(text):
            yield Defect(place, message)


def template_metadata(metadata: JSON, path: Path) -> Found:
    """ValidatePodTemplateSpec and ValidateObjectMeta: labels and annotations."""
    yield from labels(metadata, "labels", path)
    annotations = part(metadata, "annotations")
    for key in annotations:
        if message := annotation_key(key):
            yield Defect((*path, "annotations", key), message)
    # ValidateAnnotationsSize
    size = sum(len(key.encode()) + len((value or "").encode()) for key, value in annotations.items())
    if size > ANNOTATIONS_BYTES:
        yield Defect((*path, "annotations"), f"has {size:,} bytes, more than {ANNOTATIONS_BYTES:,}")


def labels(item: JSON, key: str, path: Path) -> Found:
    """ValidateLabels: a mapping of labels."""
    for name, value in part(item, key).items():
        if message := qualified_name(name) or label_value(value or ""):
            yield Defect((*path, key, name), message)
