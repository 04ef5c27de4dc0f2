"""What a workload may say of its pods: the Platform for all, an Agent or AgentTeam for its own."""

from typing import Literal

from pydantic import Field

from kagent_render.catalog.fields import ObjectName, Quantity, SpecModel
from kagent_render.specs.knative import Knative
from kagent_render.specs.scaling import Scaling

WorkloadType = Literal["Deployment", "Knative"]


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

    type: WorkloadType | None = Field(default=None, description="In place of the Platform's default.")
    knative: Knative | None = Field(default=None, description="In place of the Platform's knative.")
    replicas: int | None = Field(default=None, ge=0, le=1000, description="Pods; with scaling the autoscaler decides.")
    resources: Resources | None = None
    scaling: Scaling | None = Field(default=None, description="In place of the Platform's scaling.")


def _default_resources() -> Resources:
    requests = ResourceAmounts(cpu="250m", memory="256Mi")
    return Resources(requests=requests, limits=ResourceAmounts(cpu="1", memory="512Mi"))


class WorkloadDefaults(Placement):
    """Defaults of every workload."""

    type: WorkloadType = Field(default="Deployment", description="`Knative`: a Knative Service instead.")
    replicas: int = Field(default=1, ge=0, le=1000, description="Pods of each workload.")
    resources: Resources = Field(default_factory=_default_resources, description="Container resources.")
