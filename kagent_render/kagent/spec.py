"""A spec of ours in the making: its values, and from which place of the source each came, for its comments."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kagent_render.kagent.fields import Location, Resource

API_VERSION = "kagent.dev/v1alpha1"
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_OTHERS = ("app.kubernetes.io/", "helm.sh/", "meta.helm.sh/", _APPLIED)


@dataclass(slots=True)
class Spec:
    """One document of ours, made from a resource."""

    resource: Resource
    kind: str
    name: str
    namespace: str | None
    data: dict[str, Any] = field(default_factory=dict)
    sources: dict[Location, Location] = field(default_factory=dict)
    metadata: dict[str, dict[str, str]] = field(default_factory=dict)

    def put(self, path: str, value: Any, source: Location | None = None) -> None:
        """Set a field by its dotted path; None and empty values are left out."""
        if value in (None, {}, []):
            return
        parts = ("spec", *path.split("."))
        target = self.data
        for part in parts[1:-1]:
            target = target.setdefault(part, {})
        target[parts[-1]] = value
        if source is not None:
            self.sources[parts] = source

    def document(self) -> dict[str, Any]:
        """The document as it is written."""
        metadata = {"name": self.name, "namespace": self.namespace} | self.metadata
        kept = {key: value for key, value in metadata.items() if value}
        return {"apiVersion": API_VERSION, "kind": self.kind, "metadata": kept, "spec": self.data}

    def carry_metadata(self) -> None:
        """Take labels and annotations along, but for what Helm and its like say of the object that they installed."""
        if self.name != self.resource.name or self.kind != self.resource.kind.replace("Team", "AgentTeam"):
            return
        metadata = self.resource.fields("metadata")
        for field_name in ("labels", "annotations"):
            given = {str(key): str(value) for key, value in metadata.take(field_name, {}).items()}
            kept = {key: value for key, value in given.items() if not key.startswith(_OTHERS)}
            gone = sorted(set(given) - set(kept) - {_APPLIED})
            if gone:
                listed = ", ".join(f"`{key}`" for key in gone)
                message = f"not carried over, as it says what another tool installed: {listed}"
                self.resource.warn(message, metadata.at(field_name))
            self.metadata[field_name] = kept
