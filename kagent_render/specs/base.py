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


class Toleration(SpecModel):
    """A taint that the pods accept; as in a pod."""

    key: str | None = None
    operator: Literal["Exists", "Equal"] = "Equal"
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None


class Placement(SpecModel):
    """Where pods run, and what marks them."""

    node_selector: dict[str, str] | None = Field(default=None, description="Labels a node must have.")
    tolerations: list[Toleration] | None = None
    priority_class_name: ObjectName | None = None
    pod_labels: dict[str, str] | None = Field(default=None, description="More labels of the pods.")
    pod_annotations: dict[str, str] | None = Field(default=None, description="More annotations of the pods.")
    image_pull_secrets: list[ObjectName] | None = Field(default=None, description="Secrets for a private registry.")


class WorkloadOverride(Placement):
    """What a single workload may set differently from the Platform's defaults; a field replaces the default's."""

    replicas: int | None = Field(default=None, ge=0, le=1000, description="Pods; with scaling the autoscaler decides.")
    resources: Resources | None = None


class ModelConfigReference(SpecModel):
    """The name of a ModelConfig."""

    name: ObjectName


Kind = Literal["Agent", "AgentTeam", "ModelConfig", "Platform", "Tool"]
