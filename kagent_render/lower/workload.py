"""The neutral workload: everything a target needs to render objects, and nothing of how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kagent_render.catalog.base import AccessRule, Endpoint
from kagent_render.diagnostics import Span
from kagent_render.specs.base import Placement, Resources
from kagent_render.specs.platform import PlatformSpec


@dataclass(frozen=True, slots=True, order=True)
class EnvironmentSecret:
    """An environment variable that the kubelet fills from a Secret."""

    variable: str
    secret: str
    key: str


@dataclass(frozen=True, slots=True)
class Workload:
    """One agent or team that runs on its own. `origin` is where the user defined it."""

    name: str
    kind: str
    namespace: str | None
    description: str
    labels: dict[str, str]
    annotations: dict[str, str]
    origin: Span
    runtime_config: dict[str, Any]
    secrets: tuple[EnvironmentSecret, ...]
    access: tuple[AccessRule, ...]
    needs_kubernetes_api: bool
    endpoints: tuple[Endpoint, ...]
    replicas: int
    resources: Resources
    placement: Placement
    platform: PlatformSpec

    @property
    def most_replicas(self) -> int:
        """How many pods there may be at once."""
        return self.platform.scaling.max_replicas if self.platform.scaling else self.replicas

    @property
    def directory(self) -> str:
        """The folder of its manifests below the output."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name
