"""The queue that a workload takes its tasks from; exactly what scales it."""

from typing import Annotated, Literal

from pydantic import Field

from kagent_runtime.model.remote import VariableName
from kagent_runtime.model.strict import Strict


class Queue(Strict):
    """What every queue has. A task whose process fell silent for `leaseSeconds` is delivered again."""

    concurrency: int = Field(ge=1, le=100)
    maxDeliveries: int = Field(ge=1, le=100)
    leaseSeconds: float = Field(gt=0)


class RedisStreamsQueue(Queue):
    """A stream and its consumer group. Credentials are named by the variables that hold them."""

    type: Literal["redis-streams"]
    address: str = Field(pattern=r"^[^\s/@]+:[0-9]{1,5}$")
    stream: str = Field(min_length=1)
    consumerGroup: str = Field(min_length=1)
    deadLetterStream: str = Field(min_length=1)
    replyStream: str | None = Field(default=None, min_length=1)
    usernameEnv: VariableName | None = None
    passwordEnv: VariableName | None = None
    tls: bool = False


class PostgreSqlQueue(Queue):
    """The table `tasks`, in the database of the conversations."""

    type: Literal["postgresql"]


AnyQueue = Annotated[RedisStreamsQueue | PostgreSqlQueue, Field(discriminator="type")]
