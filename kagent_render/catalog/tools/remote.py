"""What tools that call an HTTP server have in common: headers, credentials, TLS, and what the pod needs for them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from kagent_render.catalog.base import TLS_FOLDER, Contribution, Endpoint, Mount, Problem, Variable
from kagent_render.catalog.connection import ClientTls, Header
from kagent_render.catalog.fields import SecretKeyReference
from kagent_render.catalog.tools.urls import is_in_cluster

_TLS_FOLDER = f"{TLS_FOLDER}/tools"
MAX_OUTPUT_BYTES = 65536
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")  # RFC 9110 5.6.2
_VALUE = re.compile(r"[\t\x20-\x7e]*\Z")
_NOT_WORD = re.compile(r"[^A-Za-z0-9]")
# Set by the client, for the connection: another value would split or smuggle requests.
_RESERVED = {
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
_CREDENTIALS = {"authorization", "cookie", "private-token", "x-api-key", "x-auth-token"}
Location = tuple[int | str, ...]


@dataclass(slots=True)
class Needs:
    """Collects what the pod of one tool needs."""

    tool: str
    variables: set[Variable] = field(default_factory=set)
    mounts: set[Mount] = field(default_factory=set)

    def secret(self, what: str, reference: SecretKeyReference) -> str:
        """The variable that carries a key of a Secret."""
        name = f"KAGENT_TOOL_{_upper(self.tool)}_{_upper(what)}"
        self.variables.add(Variable(name, secret=reference.name, key=reference.key))
        return name

    def header(self, header: Header) -> dict[str, str]:
        """The header as the runtime's config has it."""
        if header.secret_ref is None:
            return {"name": header.name, "value": header.value or ""}
        return self.secret_header(header.name, header.secret_ref)

    def secret_header(self, name: str, reference: SecretKeyReference) -> dict[str, str]:
        """A header whose value is a key of a Secret."""
        return {"name": name, "env": self.secret(f"HEADER_{name}", reference)}

    def bearer(self, reference: SecretKeyReference) -> dict[str, str]:
        """An Authorization header with a token."""
        return {"name": "Authorization", "prefix": "Bearer ", "env": self.secret("TOKEN", reference)}

    def tls(self, tls: ClientTls | None) -> dict[str, Any] | None:
        """The files of a TLS connection, each source in a folder of its own: a volume has one source."""
        if tls is None:
            return None
        config: dict[str, Any] = {"system_cas": tls.use_system_cas}
        if ca := tls.ca_secret_ref:
            config["ca"] = self._mount("ca", ((ca.key, "ca.crt"),), secret=ca.name) + "/ca.crt"
        if bundle := tls.ca_config_map_ref:
            config["ca"] = self._mount("ca", ((bundle.key, "ca.crt"),), config_map=bundle.name) + "/ca.crt"
        if client := tls.client_certificate_secret_ref:
            items = (("tls.crt", "tls.crt"), ("tls.key", "tls.key"))
            folder = self._mount("client", items, secret=client.name)
            config |= {"certificate": f"{folder}/tls.crt", "key": f"{folder}/tls.key"}
        return config

    def file(self, part: str, reference: SecretKeyReference, name: str) -> str:
        """The path of a file with what a key of a Secret holds."""
        return self._mount(part, ((reference.key, name),), secret=reference.name) + f"/{name}"

    def _mount(self, part: str, items: tuple[tuple[str, str], ...], *, secret: str = "", config_map: str = "") -> str:
        path = f"{_TLS_FOLDER}/{self.tool}/{part}"
        name = volume_name(self.tool, part)
        self.mounts.add(Mount(name, path, secret=secret, config_map=config_map, items=items))
        return path

    def contribution(self, *endpoints: Endpoint) -> Contribution:
        """All of it, with whom the tool calls."""
        return Contribution(frozenset(self.variables), frozenset(self.mounts), frozenset(endpoints))


def _upper(text: str) -> str:
    return _NOT_WORD.sub("_", text).upper()


def volume_name(tool: str, part: str) -> str:
    """The name of a volume, or of a container, in the pods of a tool: at most 63 characters. `part` has at most 8."""
    name = f"tool-{tool}-{part}"
    if len(name) <= 63:
        return name
    return f"tool-{tool[:40]}-{hashlib.sha256(tool.encode()).hexdigest()[:8]}-{part}"


def check_headers(headers: Sequence[Header], location: Location, *, has_authorization: bool) -> Iterator[Problem]:
    """Names and values that no server would accept, that split requests, or that hold a credential."""
    seen = {"authorization"} if has_authorization else set()
    for index, header in enumerate(headers):
        place, name = (*location, index), header.name.lower()
        yield from check_header_name(header.name, (*place, "name"))
        if name in seen:
            yield Problem("KR355", f"`{header.name}` is given twice", (*place, "name"), "keep one")
        seen.add(name)
        yield from _check_value(header, place)


def check_header_name(name: str, location: Location) -> Iterator[Problem]:
    """A name that is none, or that is not the user's to set."""
    if not _TOKEN.match(name):
        yield Problem("KR355", f"`{name}` is not a header name", location, "letters, digits and `-`")
    elif name.lower() in _RESERVED:
        yield Problem("KR355", f"`{name}` belongs to the connection", location, "remove it; the runtime sets it")


def _check_value(header: Header, place: Location) -> Iterator[Problem]:
    if header.value is None:
        return
    if not _VALUE.match(header.value) or header.value != header.value.strip():
        help = "one line of ASCII, without spaces around it"
        yield Problem("KR355", f"the value of `{header.name}` is not a header value", (*place, "value"), help)
    elif header.name.lower() in _CREDENTIALS:
        message = f"`{header.name}` holds a credential"
        yield Problem("KR106", message, (*place, "value"), "name a Secret: `secretRef: {name: …, key: …}`")


def check_tls(tls: ClientTls | None, url: str, location: Location) -> Iterator[Problem]:
    """TLS settings that have no effect, or that trust nobody."""
    if tls is None:
        return
    if url.startswith("http:"):
        yield Problem("KR104", "`tls` has no effect on an http:// URL", location, "use https://, or remove `tls`")
    if tls.ca_secret_ref and tls.ca_config_map_ref:
        place = (*location, "caConfigMapRef")
        yield Problem("KR104", "the CA comes from a Secret or a ConfigMap, not both", place, "remove one of the two")
    if not tls.use_system_cas and not (tls.ca_secret_ref or tls.ca_config_map_ref):
        place = (*location, "useSystemCAs")
        yield Problem("KR104", "no CA would be trusted", place, "add `caSecretRef` or `caConfigMapRef`")


def check_plaintext(url: str, location: Location, *, has_credential: bool) -> Iterator[Problem]:
    """A credential that leaves the cluster unencrypted."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return  # check_url says so
    if has_credential and parts.scheme == "http" and parts.hostname and not is_in_cluster(parts.hostname):
        message = f"a credential is sent to `{parts.hostname}` unencrypted"
        yield Problem("KR359", message, location, "use https://")
