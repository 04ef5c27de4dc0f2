"""Kind Platform: what the platform team decides once for all workloads. Optional; every field has a default."""

from typing import Literal

from pydantic import Field

from kagent_render import __version__
from kagent_render.catalog.fields import Namespace, RegistryPrefix, SpecModel, Text
from kagent_render.specs.authentication import Authentication
from kagent_render.specs.base import Metadata
from kagent_render.specs.dapr import Dapr
from kagent_render.specs.external_secrets import Secrets
from kagent_render.specs.ingress import Ingress
from kagent_render.specs.knative import Knative
from kagent_render.specs.network import NetworkPolicySettings
from kagent_render.specs.observability import Observability
from kagent_render.specs.persistence import Persistence
from kagent_render.specs.pod import WorkloadDefaults
from kagent_render.specs.python import Python
from kagent_render.specs.queue import AnyQueue
from kagent_render.specs.scaling import HttpInterceptor, Scaling
from kagent_render.specs.tls import Tls

DEFAULT_IMAGE = f"ghcr.io/kagent-render/runtime:{__version__}"


class PlatformSpec(SpecModel):
    """What the platform team decides."""

    image: Text = Field(default=DEFAULT_IMAGE, description="The runtime image, best with a digest.")
    image_pull_policy: Literal["IfNotPresent", "Always", "Never"] = Field(
        default="IfNotPresent", description="With a digest there is never a reason for another."
    )
    registries: dict[RegistryPrefix, RegistryPrefix] = Field(
        default_factory=dict, description="Where images are pulled from instead: {ghcr.io: mirror.example.com/ghcr}."
    )
    namespace: Namespace | None = Field(default=None, description="For documents without one.")
    workload: WorkloadDefaults = Field(default_factory=WorkloadDefaults, description="Defaults of every workload.")
    scaling: Scaling | None = Field(default=None, description="Scale every workload with KEDA.")
    http_interceptor: HttpInterceptor = Field(
        default_factory=HttpInterceptor, description="KEDA's HTTP add-on, for workloads with an `http` trigger."
    )
    knative: Knative = Field(default_factory=Knative, description="How Knative runs workloads of that type.")
    ingress: Ingress | None = Field(default=None, description="How workloads are reached from outside.")
    secrets: Secrets | None = Field(default=None, description="Where Secrets come from.")
    authentication: Authentication | None = Field(
        default=None, description="Who may call the workloads; default: whom the network lets in."
    )
    tls: Tls | None = Field(default=None, description="Certificates for all workloads, by cert-manager.")
    observability: Observability | None = Field(default=None, description="Metrics, alerts, a dashboard, traces.")
    persistence: Persistence | None = Field(
        default=None, description="Where conversations are kept; default: in the pod, and gone with it."
    )
    queue: AnyQueue | None = Field(
        default=None, description="Where every workload takes tasks from; a `queue` trigger scales on it."
    )
    dapr: Dapr | None = Field(default=None, description="A sidecar of Dapr in every pod.")
    interfaces: list[Literal["openai", "a2a", "mcp"]] | None = Field(
        default=None, description="The protocols served beside our own API; default: all."
    )
    python: Python = Field(default_factory=Python, description="Python modules that tools may use.")
    network_policy: NetworkPolicySettings = Field(
        default_factory=NetworkPolicySettings, description="The NetworkPolicy of every workload."
    )


class Platform(SpecModel):
    """What the platform team decides once for all workloads. Optional; every field has a default."""

    api_version: Literal["render.kagent.dev/v1alpha1"]
    kind: Literal["Platform"]
    metadata: Metadata
    spec: PlatformSpec = Field(default_factory=PlatformSpec, description="What the platform team decides.")
