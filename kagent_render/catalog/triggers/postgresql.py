"""postgresql: a query that yields one number."""

from typing import ClassVar, Literal

from pydantic import Field

from kagent_render.catalog.fields import SecretKeyReference, Text
from kagent_render.catalog.triggers.base import Trigger, TriggerScope, number


class PostgreSqlTrigger(Trigger):
    """Scale on a PostgreSQL query that yields one number."""

    secret_parameters: ClassVar[tuple[str, ...]] = ("connection",)
    keda_type: ClassVar[str] = "postgresql"

    type: Literal["postgresql"]
    query: Text = Field(description="SQL that yields a single number.")
    target_query_value: float = Field(gt=0, description="One replica for each so much.")
    activation_target_query_value: float = Field(default=0, ge=0, description="From zero replicas, start above this.")
    connection_secret_ref: SecretKeyReference = Field(description="Secret key with the connection string.")

    def metadata(self, scope: TriggerScope) -> dict[str, str]:
        """Query and targets; the connection string is only ever a reference."""
        return {
            "query": self.query,
            "targetQueryValue": number(self.target_query_value),
            "activationTargetQueryValue": number(self.activation_target_query_value),
        }

    def secrets(self) -> dict[str, SecretKeyReference]:
        """The connection string."""
        return {"connection": self.connection_secret_ref}
