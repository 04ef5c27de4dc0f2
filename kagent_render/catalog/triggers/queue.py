"""queue: tasks in the workload's own queue, whatever that is; lowered to the trigger of its kind."""

from typing import ClassVar, Literal

from pydantic import Field

from kagent_render.catalog.triggers.base import Trigger, TriggerScope
from kagent_render.catalog.triggers.redis_streams import RedisStreamsTrigger


class QueueTrigger(Trigger):
    """Scale on the tasks in the workload's `queue`: those that wait, and those that are worked on."""

    keda_type: ClassVar[str] = "queue"

    type: Literal["queue"]
    tasks_per_replica: int = Field(default=5, ge=1, description="One replica for each so many tasks.")
    activation_tasks: int = Field(default=0, ge=0, description="From zero replicas, start above this.")

    def metadata(self, scope: TriggerScope) -> dict[str, str]:
        """Nothing: KEDA does not know this trigger."""
        return {}


class RedisPendingTrigger(RedisStreamsTrigger):
    """Entries that were read and not acknowledged: tasks that are worked on. Without it their pod would be taken."""

    def metadata(self, scope: TriggerScope) -> dict[str, str]:
        """KEDA's other number of a group."""
        fields = super().metadata(scope)
        del fields["lagCount"], fields["activationLagCount"]
        return fields | {"pendingEntriesCount": str(self.lag_count)}
