"""The envelope every document has."""

from typing import Literal

from pydantic import Field

from kagent_render.catalog.fields import Namespace, ObjectName, Quantity, ServiceName, SpecModel

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


class ResourceAmounts(SpecModel):
    """CPU and memory."""

    cpu: Quantity | None = Field(default=None, description="Cores, such as 250m or 1.")
    memory: Quantity | None = Field(default=None, description="Bytes, such as 512Mi.")


class Resources(SpecModel):
    """Container resources."""

    requests: ResourceAmounts = Field(default_factory=ResourceAmounts, description="What the scheduler reserves.")
    limits: ResourceAmounts = Field(default_factory=ResourceAmounts, description="What the container may not exceed.")


class Toleration(SpecModel):
    """A taint that the pods accept; as in a pod."""

    key: str | None = Field(default=None, description="The taint's key; default: every key, with `Exists`.")
    operator: Literal["Exists", "Equal"] = Field(default="Equal", description="How `value` is compared.")
    value: str | None = Field(default=None, description="The taint's value, with `Equal`.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        default=None, description="The taint's effect; default: every effect."
    )


class Placement(SpecModel):
    """Where pods run, and what marks them."""

    node_selector: dict[str, str] | None = Field(default=None, description="Labels a node must have.")
    tolerations: list[Toleration] | None = Field(default=None, description="Taints that the pods accept.")
    priority_class_name: ObjectName | None = Field(default=None, description="PriorityClass of the pods.")
    pod_labels: dict[str, str] | None = Field(default=None, description="More labels of the pods.")
    pod_annotations: dict[str, str] | None = Field(default=None, description="More annotations of the pods.")
    image_pull_secrets: list[ObjectName] | None = Field(default=None, description="Secrets for a private registry.")


class WorkloadOverride(Placement):
    """What a single workload may set differently from the Platform's defaults; a field replaces the default's."""

    replicas: int | None = Field(default=None, ge=0, le=1000, description="Pods; with scaling the autoscaler decides.")
    resources: Resources | None = Field(default=None, description="CPU and memory of the container.")


class ModelConfigReference(SpecModel):
    """The name of a ModelConfig."""

    name: ObjectName = Field(description="Name of the ModelConfig.")


Kind = Literal["Agent", "AgentTeam", "ModelConfig", "Platform", "Tool"]
