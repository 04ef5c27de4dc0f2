"""How many pods: KEDA scaling, for all workloads or one."""

from typing import Annotated, Literal

from pydantic import Field

from kagent_render.catalog.fields import SpecModel, Text


class CpuTrigger(SpecModel):
    """Scale on CPU, as a percentage of the request."""

    type: Literal["cpu"]
    utilization: int = Field(ge=1, le=1000)


class CronTrigger(SpecModel):
    """Keep a number of replicas in a time window."""

    type: Literal["cron"]
    timezone: Text
    start: Text
    end: Text
    desired_replicas: int = Field(ge=1)


class PrometheusTrigger(SpecModel):
    """Scale on a Prometheus query that yields one number."""

    type: Literal["prometheus"]
    server_address: Text
    query: Text
    threshold: float = Field(gt=0)


Trigger = Annotated[CpuTrigger | CronTrigger | PrometheusTrigger, Field(discriminator="type")]


class Scaling(SpecModel):
    """Scale every workload with KEDA."""

    min_replicas: int = Field(default=1, ge=0)
    max_replicas: int = Field(default=5, ge=1)
    triggers: list[Trigger] = Field(min_length=1)
