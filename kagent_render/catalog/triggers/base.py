"""What every trigger is: a spec model that knows its KEDA metadata and the keys of Secrets it needs."""

import re
from dataclasses import dataclass
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from kagent_render.catalog.fields import DNS_LABEL, DNS_SUBDOMAIN, SecretKeyReference, SpecModel

_HOST_PORT = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?):(?P<port>[0-9]{1,5})\Z")
_DURATION = re.compile(r"(?:([0-9]{1,4})h)?(?:([0-9]{1,5})m)?(?:([0-9]{1,5})s)?\Z")


@dataclass(frozen=True, slots=True)
class TriggerScope:
    """What a trigger may refer to: the workload's name, and the namespace of KEDA's HTTP add-on."""

    workload: str
    interceptor_namespace: str


def _refuse(rule: str) -> PydanticCustomError:
    return PydanticCustomError("value", "{rule}", {"rule": rule})


def _host_port(value: str) -> str:
    match = _HOST_PORT.match(value)
    if not match or not 0 < int(match["port"]) <= 65535:
        raise _refuse("host:port without a scheme, such as redis.data.svc:6379")
    return value


def _server_url(value: str) -> str:
    parts = urlsplit(value)
    if "@" in parts.netloc:
        raise PydanticCustomError("secret", "a URL with a user or password")
    if parts.scheme not in ("http", "https") or not parts.netloc or any(char.isspace() for char in value):
        raise _refuse("an http:// or https:// URL")
    return value


def _duration(value: str) -> str:
    match = _DURATION.match(value)
    if not match or not any(int(part or 0) for part in match.groups()):
        raise _refuse("a duration such as 30s, 1m or 1h30m")
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return go_duration(hours * 3600 + minutes * 60 + seconds)


def go_duration(seconds: int) -> str:
    """As Go writes a duration (1m0s, not 60s): a controller that writes the object back changes nothing."""
    hours, minutes = seconds // 3600, seconds // 60
    head = f"{hours}h" if hours else ""
    return f"{head}{f'{minutes % 60}m' if minutes else ''}{seconds % 60}s"


def _trigger_name(value: str) -> str:
    if not DNS_LABEL.match(value):
        raise _refuse("lower-case letters, digits and `-`, starting with a letter")
    return value


def _route_host(value: str) -> str:
    if value != "*" and not DNS_SUBDOMAIN.match(value.removeprefix("*.")):
        raise _refuse("a host name such as agent.example.com, *.example.com or *, without a port")
    return value


HostPort = Annotated[str, AfterValidator(_host_port)]
ServerUrl = Annotated[str, AfterValidator(_server_url)]
Duration = Annotated[str, AfterValidator(_duration)]
TriggerName = Annotated[str, AfterValidator(_trigger_name)]
RouteHost = Annotated[str, AfterValidator(_route_host)]


class Trigger(SpecModel):
    """Base of all triggers."""

    # The Kubernetes HPA measures CPU and memory in the pods: with no pod there is nothing to measure.
    measures_pods: ClassVar[bool] = False
    keda_type: ClassVar[str]
    secret_parameters: ClassVar[tuple[str, ...]] = ()

    name: TriggerName | None = Field(default=None, description="Names the trigger in KEDA's metrics.")

    def metadata(self, scope: TriggerScope) -> dict[str, str]:
        """KEDA's metadata of the trigger: a map of strings, whatever the values are."""
        raise NotImplementedError

    def secrets(self) -> dict[str, SecretKeyReference]:
        """KEDA's authentication parameters, and the keys of Secrets that hold them."""
        return {}


def number(value: float) -> str:
    """A number as a person writes it: 5, 0.5, 1000000."""
    return str(int(value)) if float(value).is_integer() else repr(value)


def truth(value: bool) -> str:
    """A boolean in KEDA's metadata."""
    return "true" if value else "false"
