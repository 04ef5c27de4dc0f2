"""The envelope every document has."""

from typing import Literal

from pydantic import Field

from kagent_render.catalog.fields import Namespace, ObjectName, ServiceName, SpecModel

API_VERSION = "kagent.dev/v1alpha1"
RENDER_API_VERSION = "render.kagent.dev/v1alpha1"


class Metadata(SpecModel):
    """Name and namespace. Labels and annotations are accepted and go onto every object of the workload."""

    name: ObjectName
    namespace: Namespace | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class WorkloadMetadata(Metadata):
    """Metadata of a kind that becomes a workload: its name is also a Service's."""

    name: ServiceName


class ModelConfigReference(SpecModel):
    """The name of a ModelConfig."""

    name: ObjectName


Kind = Literal["Agent", "AgentTeam", "ModelConfig", "Platform", "Tool"]
