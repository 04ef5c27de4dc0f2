"""Kind Platform: what the platform team decides once for all workloads. Optional; every field has a default."""

from typing import Literal

from pydantic import Field

from kagent_render import __version__
from kagent_render.catalog.fields import Namespace, SpecModel, Text
from kagent_render.specs.base import Metadata
from kagent_render.specs.dapr import Dapr
from kagent_render.specs.external_secrets import Secrets
from kagent_render.specs.ingress import Ingress
from kagent_render.specs.network import NetworkPolicySettings
from kagent_render.specs.observability import Observability
from kagent_render.specs.pod import WorkloadDefaults
from kagent_render.specs.scaling import Scaling

DEFAULT_IMAGE = f"ghcr.io/kagent-render/runtime:{__version__}"


class PlatformSpec(SpecModel):
    """What the platform team decides."""

    image: Text = Field(default=DEFAULT_IMAGE, description="The runtime image, best with a digest.")
    namespace: Namespace | None = Field(default=None, description="For documents without one.")
    workload: WorkloadDefaults = Field(default_factory=WorkloadDefaults)
    scaling: Scaling | None = None
    ingress: Ingress | None = None
    secrets: Secrets | None = None
    observability: Observability | None = None
    dapr: Dapr | None = None
    network_policy: NetworkPolicySettings = Field(default_factory=NetworkPolicySettings)


class Platform(SpecModel):
    """A Platform document."""

    api_version: Literal["render.kagent.dev/v1alpha1"]
    kind: Literal["Platform"]
    metadata: Metadata
    spec: PlatformSpec = Field(default_factory=PlatformSpec)
