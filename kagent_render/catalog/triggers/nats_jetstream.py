"""nats-jetstream: messages that a consumer has not acknowledged."""

from typing import ClassVar, Literal

from pydantic import Field

from kagent_render.catalog.fields import Text
from kagent_render.catalog.triggers.base import HostPort, Trigger, TriggerScope


class NatsJetStreamTrigger(Trigger):
    """Scale on the lag of a NATS JetStream consumer."""

    keda_type: ClassVar[str] = "nats-jetstream"

    type: Literal["nats-jetstream"]
    monitoring_endpoint: HostPort = Field(description="host:port of NATS' monitoring server, without a scheme.")
    account: Text = Field(default="$G", description="NATS account; `$G` is the global one.")
    stream: Text = Field(description="Name of the stream.")
    consumer: Text = Field(description="Name of the durable consumer.")
    lag_threshold: int = Field(ge=1, description="One replica for each so many pending messages.")
    activation_lag_threshold: int = Field(default=0, ge=0, description="From zero replicas, start above this.")

    def metadata(self, scope: TriggerScope) -> dict[str, str]:
        """Endpoint, stream, consumer and lag."""
        return {
            "natsServerMonitoringEndpoint": self.monitoring_endpoint,
            "account": self.account,
            "stream": self.stream,
            "consumer": self.consumer,
            "lagThreshold": str(self.lag_threshold),
            "activationLagThreshold": str(self.activation_lag_threshold),
        }
