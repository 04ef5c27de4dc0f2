"""The registry of triggers: the union that a spec accepts."""

from typing import Annotated

from pydantic import Field

from kagent_render.catalog.triggers.cron import CronTrigger
from kagent_render.catalog.triggers.http import HttpTrigger
from kagent_render.catalog.triggers.nats_jetstream import NatsJetStreamTrigger
from kagent_render.catalog.triggers.postgresql import PostgreSqlTrigger
from kagent_render.catalog.triggers.prometheus import PrometheusTrigger
from kagent_render.catalog.triggers.queue import QueueTrigger
from kagent_render.catalog.triggers.redis_streams import RedisStreamsTrigger
from kagent_render.catalog.triggers.utilization import CpuTrigger, MemoryTrigger

AnyTrigger = Annotated[
    CpuTrigger
    | MemoryTrigger
    | CronTrigger
    | PrometheusTrigger
    | RedisStreamsTrigger
    | NatsJetStreamTrigger
    | PostgreSqlTrigger
    | HttpTrigger
    | QueueTrigger,
    Field(discriminator="type"),
]
