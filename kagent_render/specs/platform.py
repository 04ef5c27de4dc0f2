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

    replicas: int = Field(default=1, ge=0, le=1000)
    resources: Resources = Field(default_factory=_default_resources)


class CpuTrigger(SpecModel):
    """Scale on CPU, as a percentage of the request."""

    type: Literal["cpu"]
    utilization: int = Field(ge=1, le=1000)


class CronTrigger(SpecModel):
    """Keep a number of replicas in a time window."""

    type: Literal["cron"]
    timezone: Text
    start: Text
    end: Text
    desired_replicas: int = Field(ge=1)


class PrometheusTrigger(SpecModel):
    """Scale on a Prometheus query that yields one number."""

    type: Literal["prometheus"]
    server_address: Text
    query: Text
    threshold: float = Field(gt=0)


Trigger = Annotated[CpuTrigger | CronTrigger | PrometheusTrigger, Field(discriminator="type")]


class Scaling(SpecModel):
    """Scale every workload with KEDA."""

    min_replicas: int = Field(default=1, ge=0)
    max_replicas: int = Field(default=5, ge=1)
    triggers: list[Trigger] = Field(min_length=1)


class ApiServer(SpecModel):
    """Where the Kubernetes API server is, for the egress of agents whose tools need it.

    A NetworkPolicy sees the address behind the `kubernetes` Service, which no manifest tells: hence any
    address by default, on the usual ports. Give the control plane's own addresses.
    """

    cidrs: list[Cidr] = Field(default=["0.0.0.0/0", "::/0"], min_length=1)
    ports: list[Port] = Field(default=[443, 6443], min_length=1)


class NetworkPolicySettings(SpecModel):
    """The NetworkPolicy of every workload: deny by default, open what is derived."""

    enabled: bool = True
    ingress_from_namespaces: list[Namespace] = Field(
        default_factory=list, description="Namespaces that may call the agents, besides their own."
    )
    api_server: ApiServer = Field(default_factory=ApiServer)


class Gateway(SpecModel):
    """The Gateway that routes attach to. It must allow routes from the namespaces of the agents."""

    name: ObjectName
    namespace: Namespace | None = Field(default=None, description="Default: the workload's own.")
    section_name: ServiceName | None = Field(default=None, description="Listener; needed when it has several.")


class Ingress(SpecModel):
    """Reach every workload from outside by a Gateway API HTTPRoute, as `<name>.<domain>`."""

    gateway: Gateway
    domain: ObjectName
    timeout_seconds: int = Field(default=300, ge=0, le=86_400, description="One request, streams included; 0: none.")


class SecretStore(SpecModel):
    """An External Secrets store."""

    name: ObjectName
    kind: Literal["SecretStore", "ClusterSecretStore"] = "ClusterSecretStore"


class Secrets(SpecModel):
    """Fetch every Secret that the specs name with External Secrets: one ExternalSecret each."""

    store: SecretStore
    key_prefix: str = Field(default="", description="Put before the Secret's name to form the store's key.")
    refresh_interval: Annotated[str, Field(pattern=r"^([0-9]+h[0-9]+m[0-9]+s)$")] = Field(
        default="1h0m0s", description="In Go's canonical form, so that no controller rewrites it."
    )


class PlatformSpec(SpecModel):
    """What the platform team decides."""

    image: Text = Field(default=DEFAULT_IMAGE, description="The runtime image, best with a digest.")
    namespace: Namespace | None = Field(default=None, description="For documents without one.")
    workload: WorkloadDefaults = Field(default_factory=WorkloadDefaults)
    scaling: Scaling | None = None
    ingress: Ingress | None = None
    secrets: Secrets | None = None
    network_policy: NetworkPolicySettings = Field(default_factory=NetworkPolicySettings)


class Platform(SpecModel):
    """A Platform document."""

    api_version: Literal["render.kagent.dev/v1alpha1"]
    kind: Literal["Platform"]
    metadata: Metadata
    spec: PlatformSpec = Field(default_factory=PlatformSpec)
