"""Where a workload takes tasks from. One block for the worker and for what scales it."""

from typing import Annotated, Literal

from pydantic import Field

from kagent_render.catalog.fields import SecretKeyReference, SpecModel, Text
from kagent_render.catalog.triggers.base import HostPort

_NAME = "`{name}` stands for the workload's name."


class Queue(SpecModel):
    """What every queue has."""

    concurrency: int = Field(default=2, ge=1, le=100, description="Tasks at once in one pod.")
    max_deliveries: int = Field(
        default=5, ge=1, le=100, description="A task that outlived so many processes is dead; failed turns are final."
    )
    lease_seconds: int = Field(
        default=30, ge=3, le=3600, description="A task whose pod fell silent for so long is delivered again."
    )


class RedisStreamsQueue(Queue):
    """A Redis stream and a consumer group (Redis 7 or newer). An entry is JSON in the field `task`."""

    type: Literal["redis-streams"]
    address: HostPort = Field(description="host:port, as the pods and KEDA reach it.")
    stream: Text = Field(default="{name}", description=f"Name of the stream. {_NAME}")
    consumer_group: Text = Field(default="{name}", description=f"The group of the workers. {_NAME}")
    dead_letter_stream: Text = Field(
        default="{name}-dead-letters", description=f"For what is no task, and for tasks that are dead. {_NAME}"
    )
    reply_stream: Text | None = Field(default=None, description=f"Where results are told as well. {_NAME}")
    username_secret_ref: SecretKeyReference | None = Field(default=None, description="Secret key with the user's name.")
    password_secret_ref: SecretKeyReference | None = Field(default=None, description="Secret key with the password.")
    tls: bool = Field(default=False, description="Connect with TLS.")


class PostgreSqlQueue(Queue):
    """The table `tasks` in the workload's schema of the database of `persistence`, which the runtime makes."""

    type: Literal["postgresql"]


AnyQueue = Annotated[RedisStreamsQueue | PostgreSqlQueue, Field(discriminator="type")]
