"""How a workload is reached from outside the cluster."""

from pydantic import Field

from kagent_render.catalog.fields import Namespace, ObjectName, ServiceName, SpecModel


class Gateway(SpecModel):
    """The Gateway that routes attach to. It must allow routes from the namespaces of the agents."""

    name: ObjectName = Field(description="Name of the Gateway.")
    namespace: Namespace | None = Field(default=None, description="Default: the workload's own.")
    section_name: ServiceName | None = Field(default=None, description="Listener; needed when it has several.")


class Ingress(SpecModel):
    """Reach every workload from outside by a Gateway API HTTPRoute, as `<name>.<domain>`."""

    gateway: Gateway = Field(description="The Gateway that routes attach to.")
    domain: ObjectName = Field(description="What follows the workload's name in its host name.")
    timeout_seconds: int = Field(default=300, ge=0, le=86_400, description="One request, streams included; 0: none.")
