"""The envelope every document has."""

from typing import Literal

from pydantic import Field

from kagent_render.catalog.fields import Namespace, ObjectName, ServiceName, SpecModel

API_VERSION = "kagent.dev/v1alpha1"
RENDER_API_VERSION = "render.kagent.dev/v1alpha1"


class Metadata(SpecModel):
    """Name and namespace. Labels and annotations are accepted and go onto every object of the workload."""

    name: ObjectName = Field(description="What other documents call it.")
    namespace: Namespace | None = Field(default=None, description="Default: `--namespace`, else the Platform's.")
    labels: dict[str, str] = Field(default_factory=dict, description="Labels of every object of the workload.")
    annotations: dict[str, str] = Field(default_factory=dict, description="Annotations of every object, likewise.")


class WorkloadMetadata(Metadata):
    """Metadata of a kind that becomes a workload: its name is also a Service's."""

    name: ServiceName = Field(description="What other documents call it, and the name of its Kubernetes objects.")


class ModelConfigReference(SpecModel):
    """The name of a ModelConfig."""

    name: ObjectName = Field(description="Name of the ModelConfig.")


Kind = Literal["Agent", "AgentTeam", "ModelConfig", "Platform", "Tool"]
