"""prometheus: a query that yields one number."""

from typing import ClassVar, Literal

from pydantic import Field

from kagent_render.catalog.fields import SecretKeyReference, Text
from kagent_render.catalog.triggers.base import ServerUrl, Trigger, TriggerScope, number, truth


class PrometheusTrigger(Trigger):
    """Scale on a Prometheus query that yields one number."""

    secret_parameters: ClassVar[tuple[str, ...]] = ("bearerToken",)
    keda_type: ClassVar[str] = "prometheus"

    type: Literal["prometheus"]
    server_address: ServerUrl = Field(description="URL of Prometheus, as KEDA reaches it.")
    query: Text = Field(description="PromQL that yields a single number.")
    threshold: float = Field(gt=0, description="One replica for each so much.")
    activation_threshold: float = Field(default=0, ge=0, description="From zero replicas, start above this.")
    ignore_null_values: bool = Field(default=False, description="An empty answer is 0 and not an error.")
    bearer_token_secret_ref: SecretKeyReference | None = Field(default=None, description="Token for Prometheus.")

    def metadata(self, scope: TriggerScope) -> dict[str, str]:
        """Address, query and thresholds."""
        fields = {
            "serverAddress": self.server_address,
            "query": self.query,
            "threshold": number(self.threshold),
            "activationThreshold": number(self.activation_threshold),
            "ignoreNullValues": truth(self.ignore_null_values),
        }
        return fields | ({"authModes": "bearer"} if self.bearer_token_secret_ref else {})

    def secrets(self) -> dict[str, SecretKeyReference]:
        """The bearer token."""
        return {"bearerToken": self.bearer_token_secret_ref} if self.bearer_token_secret_ref else {}
