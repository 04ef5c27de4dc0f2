"""Dapr: a sidecar beside every workload, a topic that starts turns, a state store."""

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from kagent_render.catalog.container_resources import Resources
from kagent_render.catalog.fields import Namespace, ObjectName, Quantity, SecretKeyReference, SpecModel, Text, matching
from kagent_render.specs.network import Port

_StateStoreType = Annotated[str, matching(r"state\.[a-z0-9.-]+", "value", "a state store of Dapr, such as state.redis")]
_PubSubType = Annotated[str, matching(r"pubsub\.[a-z0-9.-]+", "value", "a broker of Dapr, such as pubsub.redis")]
_Version = Annotated[str, matching(r"v[0-9]+", "value", "a version such as v1")]
_TOPIC = "`{name}` stands for the workload's name."


class ComponentField(SpecModel):
    """One metadata field of a component: a value, or a key of a Secret."""

    name: Text = Field(description="Name of the setting.")
    value: str | None = Field(default=None, description="Its value; never a credential.")
    secret_key_ref: SecretKeyReference | None = Field(default=None, description="The key of a Secret that holds it.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.value is None) == (self.secret_key_ref is None):
            raise PydanticCustomError("value", "{rule}", {"rule": "a field with either `value` or `secretKeyRef`"})
        return self


class StateStore(SpecModel):
    """A state store component, for the workloads of each namespace."""

    name: ObjectName = Field(description="Name of the component.")
    type: _StateStoreType = Field(description="Such as state.redis.")
    version: _Version = Field(default="v1", description="Version of the component's type.")
    metadata: list[ComponentField] = Field(default_factory=list, description="Settings of the component.")


class PubSub(SpecModel):
    """The topic of every workload: an event on it starts a turn."""

    name: ObjectName = Field(description="The pub/sub component.")
    type: _PubSubType | None = Field(
        default=None, description="Such as pubsub.redis: renders the component too. Absent: it exists already."
    )
    version: _Version = Field(default="v1", description="Version of the component's type.")
    metadata: list[ComponentField] = Field(default_factory=list, description="Of the component.")
    topic: Text = Field(default="{name}", description=_TOPIC)
    dead_letter_topic: Text = Field(
        default="{name}-dead-letters", description=f"For events that can never be a message. {_TOPIC}"
    )


class Dapr(SpecModel):
    """A Dapr sidecar for every workload. Its own Namespace and CRDs must be installed."""

    config: ObjectName | None = Field(default=None, description="The Configuration of the sidecars.")
    app_token_secret: ObjectName | None = Field(
        default=None, description="Secret whose key `token` only the sidecar and the agent know."
    )
    max_body_size: Quantity | None = Field(default=None, description="Of a request through the sidecar.")
    log_as_json: bool = Field(default=True, description="Whether the sidecar logs JSON.")
    sidecar: Resources = Field(default_factory=Resources, description="Resources of the sidecar.")
    metrics_port: Port = Field(default=9090, description="Of the sidecar.")
    graceful_shutdown_seconds: int = Field(default=25, ge=0, le=600, description="How long the sidecar stays.")
    control_plane_namespace: Namespace = Field(default="dapr-system", description="Where Dapr is installed.")
    state_store: StateStore | None = Field(default=None, description="A state store for the agents.")
    pubsub: PubSub | None = Field(default=None, description="Topics whose events start a turn.")

    @property
    def components(self) -> list[StateStore | PubSub]:
        """The components to render."""
        stores: list[StateStore | PubSub] = [self.state_store] if self.state_store else []
        return stores + ([self.pubsub] if self.pubsub and self.pubsub.type else [])
