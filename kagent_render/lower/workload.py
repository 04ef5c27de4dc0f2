"""The neutral workload: everything a target needs to render objects, and nothing of how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kagent_render.catalog.base import AccessRule, Contribution, ServerContainer, Variable
from kagent_render.catalog.container_resources import Resources
from kagent_render.diagnostics import Span
from kagent_render.lower.names import own_label
from kagent_render.resolve import AgentNode, TeamNode, ToolNode
from kagent_render.source import Document
from kagent_render.specs.knative import Knative
from kagent_render.specs.persistence import Persistence, StateVolume
from kagent_render.specs.platform import PlatformSpec
from kagent_render.specs.pod import Placement
from kagent_render.specs.queue import AnyQueue
from kagent_render.specs.scaling import Scaling


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the specs a part of a workload was said: the document, and the location in it."""

    document: Document
    location: tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Pods:
    """What runs as pods of its own: an agent or team, or the server of a tool. `origin` is where it was defined."""

    name: str
    kind: str
    namespace: str | None
    labels: dict[str, str]
    annotations: dict[str, str]
    origin: Span
    needs: Contribution
    needs_kubernetes_api: bool
    replicas: int
    resources: Resources
    placement: Placement
    image: str
    platform: PlatformSpec

    @property
    def variables(self) -> list[Variable]:
        """The environment of the container, by name."""
        return sorted(self.needs.variables)

    @property
    def all_variables(self) -> list[Variable]:
        """Those of every container."""
        return self.variables

    @property
    def own_label(self) -> tuple[str, str]:
        """The label that only its pods have. The key is our own, so that no other tool rewrites it."""
        return own_label(self.kind, self.name)

    @property
    def most_replicas(self) -> int:
        """How many pods there may be at once."""
        return self.replicas

    @property
    def is_knative(self) -> bool:
        """Whether it runs as a Knative Service, in place of a Deployment and a Service."""
        return False

    @property
    def resolves_names(self) -> bool:
        """Whether it needs the DNS of the cluster."""
        return True

    @property
    def directory(self) -> str:
        """The folder of its manifests below the output."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True, slots=True)
class ServerWorkload(Pods):
    """The server of a tool, with pods of its own."""

    server: ServerContainer

    @property
    def resolves_names(self) -> bool:
        """Not when there is nobody that it may call."""
        return bool(self.needs.endpoints)


@dataclass(frozen=True, slots=True)
class Workload(Pods):
    """One agent or team that runs on its own. `sidecars` and `servers` are of its tools: beside it, and elsewhere."""

    description: str
    runtime_config: dict[str, Any]
    access: tuple[AccessRule, ...]
    scaling: Scaling | None
    type: str = "Deployment"
    knative: Knative = field(default_factory=Knative)
    persistence: Persistence | None = None
    queue: AnyQueue | None = None
    python_files: tuple[tuple[str, str], ...] = ()
    asks: tuple[AgentNode | TeamNode, ...] = ()
    sidecars: tuple[ServerContainer, ...] = ()
    servers: tuple[ToolNode, ...] = ()
    # By the field of the Platform or of `workload`: for the checks of targets, which know fields and no files.
    places: Mapping[str, Place] = field(default_factory=dict)

    @property
    def all_variables(self) -> list[Variable]:
        """Those of every container."""
        return [*self.variables, *(variable for server in self.sidecars for variable in server.variables)]

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
