"""Kind Platform: what the platform team decides once for all workloads. Optional; every field has a default."""

import ipaddress
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from kagent_render import __version__
from kagent_render.catalog.fields import Namespace, ObjectName, ServiceName, SpecModel, Text
from kagent_render.specs.base import Metadata, Placement, ResourceAmounts, Resources

DEFAULT_IMAGE = f"ghcr.io/kagent-render/runtime:{__version__}"


def _cidr(value: str) -> str:
    try:
        ipaddress.ip_network(value)
    except ValueError:
        raise PydanticCustomError("value", "{rule}", {"rule": "a CIDR such as 10.0.0.0/16"}) from None
    return value


Cidr = Annotated[str, AfterValidator(_cidr)]
Port = Annotated[int, Field(ge=1, le=65535)]


def _default_resources() -> Resources:
    requests = ResourceAmounts(cpu="250m", memory="256Mi")
    return Resources(requests=requests, limits=ResourceAmounts(cpu="1", memory="512Mi"))


class WorkloadDefaults(Placement):
    """Defaults of every workload."""

    replicas: int = Field(default=1, ge=0, le=1000, description="Pods; with scaling the autoscaler decides.")
    resources: Resources = Field(default_factory=_default_resources, description="CPU and memory of the container.")


class CpuTrigger(SpecModel):
    """Scale on CPU, as a percentage of the request."""

    type: Literal["cpu"]
    utilization: int = Field(ge=1, le=1000, description="Percent of the CPU request.")


class CronTrigger(SpecModel):
    """Keep a number of replicas in a time window."""

    type: Literal["cron"]
    timezone: Text = Field(description="IANA name, such as Europe/Berlin.")
    start: Text = Field(description="When the window opens, as a cron expression.")
    end: Text = Field(description="When the window closes, as a cron expression.")
    desired_replicas: int = Field(ge=1, description="Pods in the window.")


class PrometheusTrigger(SpecModel):
    """Scale on a Prometheus query that yields one number."""

    type: Literal["prometheus"]
    server_address: Text = Field(description="URL of Prometheus.")
    query: Text = Field(description="PromQL that yields one number.")
    threshold: float = Field(gt=0, description="The number that one pod is to carry.")


Trigger = Annotated[CpuTrigger | CronTrigger | PrometheusTrigger, Field(discriminator="type")]


class Scaling(SpecModel):
    """Scale every workload with KEDA."""

    min_replicas: int = Field(default=1, ge=0, description="Pods at least.")
    max_replicas: int = Field(default=5, ge=1, description="Pods at most.")
    triggers: list[Trigger] = Field(min_length=1, description="What to scale on; the one that wants most pods wins.")


class ApiServer(SpecModel):
    """Where the Kubernetes API server is, for the egress of agents whose tools need it.

    A NetworkPolicy sees the address behind the `kubernetes` Service, which no manifest tells: hence any
    address by default, on the usual ports. Give the control plane's own addresses.
    """

    cidrs: list[Cidr] = Field(default=["0.0.0.0/0", "::/0"], min_length=1, description="Its addresses.")
    ports: list[Port] = Field(default=[443, 6443], min_length=1, description="Its ports.")


class NetworkPolicySettings(SpecModel):
    """The NetworkPolicy of every workload: deny by default, open what is derived."""

    enabled: bool = Field(default=True, description="Whether NetworkPolicies are rendered.")
    ingress_from_namespaces: list[Namespace] = Field(
        default_factory=list, description="Namespaces that may call the agents, besides their own."
    )
    api_server: ApiServer = Field(default_factory=ApiServer, description="Where the Kubernetes API server is.")


class Gateway(SpecModel):
    """The Gateway that routes attach to. It must allow routes from the namespaces of the agents."""

    name: ObjectName = Field(description="Name of the Gateway.")
    namespace: Namespace | None = Field(default=None, description="Default: the workload's own.")
    section_name: ServiceName | None = Field(default=None, description="Listener; needed when it has several.")


class Ingress(SpecModel):
    """Reach every workload from outside by a Gateway API HTTPRoute, as `<name>.<domain>`."""

    gateway: Gateway = Field(description="The Gateway that routes attach to.")
    domain: ObjectName = Field(description="What follows the workload's name in its host name.")
    timeout_seconds: int = Field(default=300, ge=0, le=86_400, description="One request, streams included; 0: none.")


class SecretStore(SpecModel):
    """An External Secrets store."""

    name: ObjectName = Field(description="Name of the store.")
    kind: Literal["SecretStore", "ClusterSecretStore"] = Field(
        default="ClusterSecretStore", description="Whether it is in the workload's namespace or the cluster's."
    )


class Secrets(SpecModel):
    """Fetch every Secret that the specs name with External Secrets: one ExternalSecret each."""

    store: SecretStore = Field(description="The External Secrets store to fetch from.")
    key_prefix: str = Field(default="", description="Put before the Secret's name to form the store's key.")
    refresh_interval: Annotated[str, Field(pattern=r"^([0-9]+h[0-9]+m[0-9]+s)$")] = Field(
        default="1h0m0s", description="In Go's canonical form, so that no controller rewrites it."
    )


class PlatformSpec(SpecModel):
    """What the platform team decides."""

    image: Text = Field(default=DEFAULT_IMAGE, description="The runtime image, best with a digest.")
    namespace: Namespace | None = Field(default=None, description="For documents without one.")
    workload: WorkloadDefaults = Field(default_factory=WorkloadDefaults, description="Defaults of every workload.")
    scaling: Scaling | None = Field(default=None, description="Scale with KEDA; default: a fixed number of pods.")
    ingress: Ingress | None = Field(default=None, description="How workloads are reached from outside; default: not.")
    secrets: Secrets | None = Field(default=None, description="Where Secrets come from; default: they exist already.")
    network_policy: NetworkPolicySettings = Field(
        default_factory=NetworkPolicySettings, description="Who may call the workloads, and whom they may call."
    )


class Platform(SpecModel):
    """What the platform team decides once for all workloads. Optional; every field has a default."""

    api_version: Literal["render.kagent.dev/v1alpha1"]
    kind: Literal["Platform"]
    metadata: Metadata
    spec: PlatformSpec = Field(default_factory=PlatformSpec, description="What the platform team decides.")
