"""The network of a workload: who may call it, and where the API server is."""

import ipaddress
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from kagent_render.catalog.fields import Namespace, SpecModel


def _cidr(value: str) -> str:
    try:
        ipaddress.ip_network(value)
    except ValueError:
        raise PydanticCustomError("value", "{rule}", {"rule": "a CIDR such as 10.0.0.0/16"}) from None
    return value


Cidr = Annotated[str, AfterValidator(_cidr)]
Port = Annotated[int, Field(ge=1, le=65535)]


class ApiServer(SpecModel):
    """Where the Kubernetes API server is, for the egress of agents whose tools need it.

    A NetworkPolicy sees the address behind the `kubernetes` Service, which no manifest tells: hence any
    address by default, on the usual ports. Give the control plane's own addresses.
    """

    cidrs: list[Cidr] = Field(default=["0.0.0.0/0", "::/0"], min_length=1, description="Its addresses.")
    ports: list[Port] = Field(default=[443, 6443], min_length=1, description="Its ports.")


class NetworkPolicySettings(SpecModel):
    """The NetworkPolicy of every workload: deny by default, open what is derived."""

    enabled: bool = Field(default=True, description="Whether policies are rendered at all.")
    provider: Literal["Kubernetes", "Cilium"] = Field(
        default="Kubernetes", description="Cilium: public hosts by name and the API server as such, in a second policy."
    )
    ingress_from_namespaces: list[Namespace] = Field(
        default_factory=list, description="Namespaces that may call the agents, besides their own."
    )
    api_server: ApiServer = Field(default_factory=ApiServer, description="Where the Kubernetes API server is.")
