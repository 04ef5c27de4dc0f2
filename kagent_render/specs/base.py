"""The envelope every document has."""

from typing import Literal

from pydantic import Field

from kagent_render.catalog.fields import Namespace, ObjectName, Quantity, ServiceName, SpecModel

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


class ResourceAmounts(SpecModel):
    """CPU and memory."""

    cpu: Quantity | None = None
    memory: Quantity | None = None


class Resources(SpecModel):
    """Container resources."""

    requests: ResourceAmounts = Field(default_factory=ResourceAmounts)
    limits: ResourceAmounts = Field(default_factory=ResourceAmounts)


class WorkloadOverride(SpecModel):
    """What a single workload may set differently from the Platform's defaults."""

    replicas: int | None = Field(default=None, ge=0, le=1000, description="Pods; with scaling the autoscaler decides.")
    resources: Resources | None = None


class ModelConfigReference(SpecModel):
    """The name of a ModelConfig."""

    name: ObjectName


Kind = Literal["Agent", "AgentTeam", "ModelConfig", "Platform", "Tool"]
