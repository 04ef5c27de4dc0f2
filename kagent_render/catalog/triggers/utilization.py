"""CPU and memory, which the Kubernetes HPA measures in the pods as a percentage of their requests."""

from typing import ClassVar, Literal

from pydantic import Field

from kagent_render.catalog.triggers.base import Trigger, TriggerScope


class UtilizationTrigger(Trigger):
    """Scale on what the pods use of a resource."""

    measures_pods: ClassVar[bool] = True

    utilization: int = Field(ge=1, le=1000, description="Percent of the container's request.")

    def metadata(self, scope: TriggerScope) -> dict[str, str]:
        """The percentage."""
        return {"value": str(self.utilization)}


class CpuTrigger(UtilizationTrigger):
    """Scale on CPU, as a percentage of the request."""

    keda_type: ClassVar[str] = "cpu"

    type: Literal["cpu"]


class MemoryTrigger(UtilizationTrigger):
    """Scale on memory, as a percentage of the request."""

    keda_type: ClassVar[str] = "memory"

    type: Literal["memory"]
