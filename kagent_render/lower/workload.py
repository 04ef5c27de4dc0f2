"""The neutral workload: everything a target needs to render objects, and nothing of how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kagent_render.catalog.base import AccessRule, Contribution, Variable
from kagent_render.diagnostics import Span
from kagent_render.resolve import AgentNode, TeamNode
from kagent_render.source import Document
from kagent_render.specs.knative import Knative
from kagent_render.specs.persistence import Persistence, StateVolume
from kagent_render.specs.platform import PlatformSpec
from kagent_render.specs.pod import Placement, Resources
from kagent_render.specs.queue import AnyQueue
from kagent_render.specs.scaling import Scaling


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the specs a part of a workload was said: the document, and the location in it."""

    document: Document
    location: tuple[int | str, ...]


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
    access: tuple[AccessRule, ...]
    needs_kubernetes_api: bool
    needs: Contribution
    replicas: int
    resources: Resources
    placement: Placement
    image: str
    scaling: Scaling | None
    platform: PlatformSpec
    type: str = "Deployment"
    knative: Knative = field(default_factory=Knative)
    persistence: Persistence | None = None
    queue: AnyQueue | None = None
    python_files: tuple[tuple[str, str], ...] = ()
    asks: tuple[AgentNode | TeamNode, ...] = ()
    # By the field of the Platform or of `workload`: for the checks of targets, which know fields and no files.
    places: Mapping[str, Place] = field(default_factory=dict)

    @property
    def variables(self) -> list[Variable]:
        """The environment of the container, by name."""
        return sorted(self.needs.variables)

    @property
    def most_replicas(self) -> int:
        """How many pods there may be at once."""
        if self.is_knative:
            return self.knative.max_scale
        return self.scaling.max_replicas if self.scaling else self.replicas

    @property
    def is_knative(self) -> bool:
        """Whether it runs as a Knative Service, in place of a Deployment and a Service."""
        return self.type == "Knative"

    @property
    def state_volume(self) -> StateVolume | None:
        """The volume that keeps its conversations, if there is one."""
        return self.persistence.volume if self.persistence else None

    @property
    def forgets(self) -> bool:
        """Whether its conversations are gone with the pod."""
        return self.persistence is None

    @property
    def is_guarded(self) -> bool:
        """Whether callers need a token."""
        authentication = self.platform.authentication
        return authentication is not None and authentication.type != "None"

    @property
    def has_management_port(self) -> bool:
        """Whether health and metrics have a plain port of their own; a pod of Knative has but one port."""
        return self.platform.tls is not None or (self.is_guarded and not self.is_knative)

    @property
    def waits_behind_interceptor(self) -> bool:
        """Whether its requests pass KEDA's HTTP add-on, which counts them and starts the first pod."""
        return self.scaling is not None and self.scaling.http is not None and not self.is_knative

    @property
    def python_config_map(self) -> str:
        """The ConfigMap of the files with the functions of its tools."""
        return f"{self.name}-python"

    @property
    def directory(self) -> str:
        """The folder of its manifests below the output."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name
