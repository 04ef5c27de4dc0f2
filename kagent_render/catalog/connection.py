"""How models and tools reach an HTTP server: more headers, and TLS. The spec's shapes and what they become."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from kagent_render.catalog.base import Contribution, Mount, Variable
from kagent_render.catalog.fields import ObjectName, SecretKey, SecretKeyReference, SpecModel

TLS_FOLDER = "/etc/kagent/tls"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}\Z")  # a field name of RFC 9110
_VALUE = re.compile(r"[\t\x20-\x7e]{1,4096}\Z")
_FRAMING = frozenset({"connection", "content-length", "content-type", "te", "trailer", "transfer-encoding", "upgrade"})
_CREDENTIAL = re.compile(
    r"(^|[-_])(authorization|cookie|password|passwd|secret|credentials?|token|(api-?)?key)\Z", re.I
)
_NOT_WORD = re.compile(r"[^A-Za-z0-9]")


def _header_name(value: str) -> str:
    if not _TOKEN.match(value):
        raise PydanticCustomError("name", "{rule}", {"rule": "the name of an HTTP header"})
    if value.lower() in _FRAMING:
        raise PydanticCustomError("value", "{rule}", {"rule": "a header that the HTTP client does not set itself"})
    return value


def _header_value(value: str) -> str:
    if not _VALUE.match(value):
        raise PydanticCustomError("value", "{rule}", {"rule": "printable ASCII on one line"})
    return value


class ConfigMapKeyReference(SpecModel):
    """One key of a ConfigMap that exists in the namespace of the workload."""

    name: ObjectName = Field(description="Name of the ConfigMap.")
    key: SecretKey = Field(description="Key in the ConfigMap's data.")


class SecretReference(SpecModel):
    """A Secret that exists in the namespace of the workload."""

    name: ObjectName = Field(description="Name of the Secret.")


class Header(SpecModel):
    """A header sent with every request."""

    name: Annotated[str, AfterValidator(_header_name)] = Field(description="Name of the header.")
    value: Annotated[str, AfterValidator(_header_value)] | None = Field(
        default=None, description="Its value; never a credential."
    )
    secret_ref: SecretKeyReference | None = Field(default=None, description="The Secret's key that holds its value.")

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if (self.value is None) == (self.secret_ref is None):
            raise PydanticCustomError("one_of", "should have exactly one of `value` and `secretRef`")
        if self.value is not None and _CREDENTIAL.search(self.name):
            raise PydanticCustomError("secret", "a header that holds a credential")
        return self


def _distinct(headers: list[Header]) -> list[Header]:
    names = [header.name.lower() for header in headers]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise PydanticCustomError("twice", "has the header `{name}` twice", {"name": twice})
    return headers


Headers = Annotated[list[Header], Field(max_length=32), AfterValidator(_distinct)]


class ClientTls(SpecModel):
    """Whom to trust, and as whom to connect, over https."""

    ca_secret_ref: SecretKeyReference | None = Field(default=None, description="A CA bundle in PEM, in a Secret.")
    ca_config_map_ref: ConfigMapKeyReference | None = Field(
        default=None, description="A CA bundle in PEM, in a ConfigMap."
    )
    client_certificate_secret_ref: SecretReference | None = Field(
        default=None, description="A Secret of type kubernetes.io/tls: tls.crt and tls.key are presented to the server."
    )
    use_system_cas: bool = Field(default=True, alias="useSystemCAs", description="Also trust the image's CAs.")

    @model_validator(mode="after")
    def _trusts_somebody(self) -> Self:
        sources = [self.ca_secret_ref, self.ca_config_map_ref]
        if None not in sources:
            raise PydanticCustomError("one_of", "should have only one of `caSecretRef` and `caConfigMapRef`")
        if sources == [None, None] and not self.use_system_cas:
            raise PydanticCustomError("one_of", "trusts nobody: without the system's CAs it needs `caSecretRef`")
        return self


@dataclass(frozen=True, slots=True)
class Place:
    """For whom a connection is: `group` is `models` or `tools`, `name` its document's."""

    group: str
    name: str

    @property
    def variable_prefix(self) -> str:
        """What its environment variables begin with."""
        owner = "" if self.group == "models" else f"{self.group.removesuffix('s').upper()}_"
        return f"KAGENT_{owner}{_NOT_WORD.sub('_', self.name).upper()}"

    def folder(self, part: str) -> str:
        """Where its files are mounted."""
        return f"{TLS_FOLDER}/{self.group}/{self.name}/{part}"

    def volume(self, part: str) -> str:
        """A volume's name: a DNS label, so that long names and names with dots get a hash."""
        plain = f"tls-{self.group}-{self.name}-{part}"
        if len(plain) <= 63 and "." not in plain:
            return plain
        digest = sha256(plain.encode()).hexdigest()[:10]
        return f"tls-{self.group}-{_NOT_WORD.sub('-', self.name)[:32].strip('-')}-{digest}-{part}"


def header_config(place: Place, headers: Sequence[Header]) -> list[dict[str, str]]:
    """The headers for the runtime: a value, or the variable that holds it."""
    return [_header(place, header) for header in headers]


def _header(place: Place, header: Header) -> dict[str, str]:
    if header.secret_ref is not None:
        return {"name": header.name, "value_env": _variable(place, header)}
    return {"name": header.name, "value": header.value or ""}


def _variable(place: Place, header: Header) -> str:
    return f"{place.variable_prefix}_HEADER_{_NOT_WORD.sub('_', header.name).upper()}"


def tls_config(place: Place, tls: ClientTls) -> dict[str, Any]:
    """The TLS settings for the runtime: paths in the container."""
    config: dict[str, Any] = {"use_system_cas": tls.use_system_cas}
    if tls.ca_secret_ref or tls.ca_config_map_ref:
        config["ca_file"] = f"{place.folder('ca')}/ca.crt"
    if tls.client_certificate_secret_ref:
        folder = place.folder("client")
        config |= {"certificate_file": f"{folder}/tls.crt", "key_file": f"{folder}/tls.key"}
    return config


def connection_needs(place: Place, headers: Sequence[Header], tls: ClientTls | None) -> Contribution:
    """The variables and mounts that the headers and the TLS settings read."""
    variables = {
        Variable(_variable(place, header), secret=header.secret_ref.name, key=header.secret_ref.key)
        for header in headers
        if header.secret_ref is not None
    }
    return Contribution(frozenset(variables), frozenset(_mounts(place, tls) if tls else ()))


def _mounts(place: Place, tls: ClientTls) -> list[Mount]:
    mounts = []
    volume, folder = place.volume("ca"), place.folder("ca")
    if secret := tls.ca_secret_ref:
        mounts.append(Mount(volume, folder, secret=secret.name, items=((secret.key, "ca.crt"),)))
    if bundle := tls.ca_config_map_ref:
        mounts.append(Mount(volume, folder, config_map=bundle.name, items=((bundle.key, "ca.crt"),)))
    if client := tls.client_certificate_secret_ref:
        items = (("tls.crt", "tls.crt"), ("tls.key", "tls.key"))
        mounts.append(Mount(place.volume("client"), place.folder("client"), secret=client.name, items=items))
    return mounts
