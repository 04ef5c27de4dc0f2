"""Where Secrets come from: an External Secrets store."""

from typing import Literal

from pydantic import Field

from kagent_render.catalog.fields import GoDuration, ObjectName, SpecModel


class SecretStore(SpecModel):
    """An External Secrets store."""

    name: ObjectName = Field(description="Name of the store.")
    kind: Literal["SecretStore", "ClusterSecretStore"] = Field(
        default="ClusterSecretStore", description="Whether it is in the workload's namespace or the cluster's."
    )


class Secrets(SpecModel):
    """Fetch every Secret that the specs name with External Secrets: one ExternalSecret each."""

    store: SecretStore = Field(description="The store that Secrets are fetched from.")
    key_prefix: str = Field(default="", description="Put before the Secret's name to form the store's key.")
    refresh_interval: GoDuration = Field(
        default="1h0m0s", description="In Go's canonical form, so that no controller rewrites it."
    )
