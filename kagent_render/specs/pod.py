"""What a workload may say of its pods: the Platform for all, an Agent or AgentTeam for its own."""

from typing import Literal

from pydantic import Field

from kagent_render.catalog.container_resources import ResourceAmounts, Resources
from kagent_render.catalog.fields import (
    JSON,
    MountPath,
    ObjectName,
    Quantity,
    SecretKey,
    ServiceName,
    SpecModel,
    VariableName,
)
from kagent_render.specs.knative import Knative
from kagent_render.specs.persistence import Persistence
from kagent_render.specs.queue import AnyQueue
from kagent_render.specs.scaling import Scaling

WorkloadType = Literal["Deployment", "Knative"]


class Toleration(SpecModel):
    """A taint that the pods accept; as in a pod."""

    key: str | None = Field(default=None, description="The taint's key; default: every key, with `Exists`.")
    operator: Literal["Exists", "Equal"] = Field(default="Equal", description="How `value` is compared.")
    value: str | None = Field(default=None, description="The taint's value, with `Equal`.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        default=None, description="The taint's effect; default: every effect."
    )


class KeyReference(SpecModel):
    """One key of a ConfigMap or Secret in the namespace of the workload."""

    name: ObjectName = Field(description="Name of the object.")
    key: SecretKey = Field(description="Key in its data.")


class EnvironmentVariable(SpecModel):
    """One more variable of the container. Exactly one of `value`, `secretRef` and `configMapRef`."""

    name: VariableName = Field(description="Letters, digits and `_`.")
    value: str | None = Field(default=None, description="A value that everyone may read.")
    secret_ref: KeyReference | None = Field(default=None, description="A key of a Secret.")
    config_map_ref: KeyReference | None = Field(default=None, description="A key of a ConfigMap.")


class EmptyDirectory(SpecModel):
    """A folder that lives as long as the pod."""

    size_limit: Quantity | None = Field(default=None, description="The pod is evicted above it.")


class Volume(SpecModel):
    """One more folder in the container. Exactly one of the sources."""

    name: ServiceName = Field(description="Name of the volume in the pod.")
    mount_path: MountPath = Field(description="Where the container sees it; an absolute path.")
    config_map: ObjectName | None = Field(default=None, description="Every key of a ConfigMap as a file.")
    secret: ObjectName | None = Field(default=None, description="Every key of a Secret as a file.")
    persistent_volume_claim: ObjectName | None = Field(default=None, description="A claim that exists.")
    empty_dir: EmptyDirectory | None = Field(default=None, description="A folder that lives as long as the pod.")
    read_only: bool = Field(default=True, description="False only for a claim or an emptyDir.")


class Affinity(SpecModel):
    """As in a pod; see `kubectl explain pod.spec.affinity`."""

    node_affinity: JSON | None = Field(default=None, description="Rules about the labels of nodes.")
    pod_affinity: JSON | None = Field(default=None, description="Rules to run near other pods.")
    pod_anti_affinity: JSON | None = Field(default=None, description="Rules to run away from other pods.")


class Concurrency(SpecModel):
    """How many turns one pod works on. What comes beyond is refused with 503 and `Retry-After`."""

    runs: int = Field(default=32, ge=1, le=10_000, description="At once; one that waits for a person does not count.")
    queued: int = Field(default=64, ge=0, le=10_000, description="How many more wait for their turn.")


class Placement(SpecModel):
    """Where pods run, what marks them, and what they have besides what an agent needs."""

    node_selector: dict[str, str] | None = Field(default=None, description="Labels a node must have.")
    tolerations: list[Toleration] | None = Field(default=None, description="Taints that the pods accept.")
    priority_class_name: ObjectName | None = Field(default=None, description="PriorityClass of the pods.")
    pod_labels: dict[str, str] | None = Field(default=None, description="More labels of the pods.")
    pod_annotations: dict[str, str] | None = Field(default=None, description="More annotations of the pods.")
    image_pull_secrets: list[ObjectName] | None = Field(default=None, description="Secrets for a private registry.")
    affinity: Affinity | None = Field(default=None, description="Rules about nodes and other pods.")
    topology_spread_constraints: list[JSON] | None = Field(
        default=None, description="As in a pod; default: spread over nodes and zones when there may be several pods."
    )
    env: list[EnvironmentVariable] | None = Field(default=None, description="More environment variables.")
    volumes: list[Volume] | None = Field(default=None, description="More folders in the container.")
    service_account_annotations: dict[str, str] | None = Field(
        default=None, description="Annotations of the ServiceAccount, such as those of workload identity."
    )
    concurrency: Concurrency | None = Field(default=None, description="How many turns one pod works on.")
    termination_grace_period_seconds: int | None = Field(
        default=None, ge=15, le=3600, description="Default 30. Running turns may end within it, less ten seconds."
    )


class WorkloadOverride(Placement):
    """What a single workload may set differently from the Platform's defaults; a field replaces the default's."""

    type: WorkloadType | None = Field(default=None, description="In place of the Platform's default.")
    knative: Knative | None = Field(default=None, description="In place of the Platform's knative.")
    replicas: int | None = Field(default=None, ge=0, le=1000, description="Pods; with scaling the autoscaler decides.")
    resources: Resources | None = Field(default=None, description="CPU and memory of the container.")
    scaling: Scaling | None = Field(default=None, description="In place of the Platform's scaling.")
    persistence: Persistence | None = Field(default=None, description="In place of the Platform's persistence.")
    queue: AnyQueue | None = Field(default=None, description="In place of the Platform's queue.")


def _default_resources() -> Resources:
    requests = ResourceAmounts(cpu="250m", memory="256Mi")
    return Resources(requests=requests, limits=ResourceAmounts(cpu="1", memory="512Mi"))


class WorkloadDefaults(Placement):
    """Defaults of every workload."""

    type: WorkloadType = Field(default="Deployment", description="`Knative`: a Knative Service instead.")
    replicas: int = Field(default=1, ge=0, le=1000, description="Pods of each workload.")
    resources: Resources = Field(default_factory=_default_resources, description="Container resources.")
