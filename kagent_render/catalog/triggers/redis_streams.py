"""redis-streams: entries of a stream that its consumer group has not read. Needs Redis 7."""

from typing import ClassVar, Literal

from pydantic import Field

from kagent_render.catalog.fields import SecretKeyReference, Text
from kagent_render.catalog.triggers.base import HostPort, Trigger, TriggerScope


class RedisStreamsTrigger(Trigger):
    """Scale on the lag of a consumer group of a Redis stream (Redis 7 or newer)."""

    secret_parameters: ClassVar[tuple[str, ...]] = ("username", "password")
    keda_type: ClassVar[str] = "redis-streams"

    type: Literal["redis-streams"]
    address: HostPort = Field(description="host:port, as KEDA reaches it.")
    stream: Text = Field(description="Name of the stream.")
    consumer_group: Text = Field(description="Consumer group whose lag counts.")
    # Not pendingEntriesCount: what nobody has read yet is not pending, so it cannot start the first pod.
    lag_count: int = Field(default=5, ge=1, description="One replica for each so many unread entries.")
    activation_lag_count: int = Field(default=0, ge=0, description="From zero replicas, start above this.")
    username_secret_ref: SecretKeyReference | None = Field(default=None, description="Secret key with the user's name.")
    password_secret_ref: SecretKeyReference | None = Field(default=None, description="Secret key with the password.")
    tls: bool = Field(default=False, description="Connect with TLS.")

    def metadata(self, scope: TriggerScope) -> dict[str, str]:
        """Address, stream and lag."""
        fields = {
            "address": self.address,
            "stream": self.stream,
            "consumerGroup": self.consumer_group,
            "lagCount": str(self.lag_count),
            "activationLagCount": str(self.activation_lag_count),
        }
        return fields | ({"enableTLS": "true"} if self.tls else {})

    def secrets(self) -> dict[str, SecretKeyReference]:
        """User and password, where given."""
        references = {"username": self.username_secret_ref, "password": self.password_secret_ref}
        return {name: reference for name, reference in references.items() if reference}
