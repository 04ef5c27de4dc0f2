"""CPU and memory of a container, as specs say them: of an agent, and of the server of a tool."""

from pydantic import Field

from kagent_render.catalog.fields import Quantity, SpecModel


class ResourceAmounts(SpecModel):
    """CPU and memory."""

    cpu: Quantity | None = Field(default=None, description="Cores, such as 250m or 1.")
    memory: Quantity | None = Field(default=None, description="Bytes, such as 512Mi.")


class Resources(SpecModel):
    """Container resources."""

    requests: ResourceAmounts = Field(default_factory=ResourceAmounts, description="What the scheduler reserves.")
    limits: ResourceAmounts = Field(default_factory=ResourceAmounts, description="What the container may not exceed.")
