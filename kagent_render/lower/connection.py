"""Headers and TLS of a spec to what the runtime is told and what the pod needs; no credential in either."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from kagent_render.catalog.base import TLS_FOLDER, Contribution, Mount, Problem, Variable
from kagent_render.catalog.connection import ClientTls, Header
from kagent_render.catalog.credentials import is_secret_name
from kagent_render.specs.secrets import has_secret

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")  # RFC 9110, section 5.1
_CREDENTIAL = re.compile(r"(^|[-_])(authorization|cookie|key)\Z", re.IGNORECASE)  # Ocp-Apim-Subscription-Key
_OURS = ("host", "content-length", "content-type", "transfer-encoding", "connection", "accept-encoding")


def check_headers(headers: Sequence[Header], place: tuple[int | str, ...]) -> Iterator[Problem]:
    """Names that are not, names that the client sets, and credentials in clear."""
    for index, header in enumerate(headers):
        at = (*place, index)
        if not _NAME.match(header.name):
            yield Problem("KR105", f"`{header.name}` is not the name of a header", (*at, "name"), None)
        elif header.name.lower() in _OURS:
            yield Problem("KR323", f"`{header.name}` is set by the client", (*at, "name"), "remove it")
        elif _upper(header.name) in [_upper(other.name) for other in headers[:index]]:
            yield Problem("KR204", f"`{header.name}` is listed twice", (*at, "name"), "remove one")
        if header.value is not None:
            yield from _check_value(header, at)


def _check_value(header: Header, at: tuple[int | str, ...]) -> Iterator[Problem]:
    value = header.value or ""
    if not (value.isascii() and (value.isprintable() or not value)):
        message = f"the value of `{header.name}` is not printable ASCII on one line"
        yield Problem("KR104", message, (*at, "value"), None)
    is_credential = _CREDENTIAL.search(header.name) or is_secret_name(header.name)
    if value and is_credential and not has_secret(value):
        help = "secretRef: {name: …, key: …} in place of the value"
        yield Problem("KR106", f"`{header.name}` holds a credential", (*at, "value"), help)


def check_tls(tls: ClientTls | None, url: str, place: tuple[int | str, ...]) -> Iterator[Problem]:
    """Two CAs, or none at all; or nothing that TLS protects."""
    if tls is None:
        return
    if url.startswith("http://"):
        yield Problem("KR322", f"`{url}` is not reached by TLS", place, "write https://, or remove `tls`")
    if tls.ca_secret_ref and tls.ca_config_map_ref:
        message = "`caSecretRef` and `caConfigMapRef` both say whom to trust"
        yield Problem("KR322", message, (*place, "caConfigMapRef"), "keep one of the two")
    if not tls.use_system_cas and not (tls.ca_secret_ref or tls.ca_config_map_ref):
        yield Problem("KR322", "nobody is trusted", (*place, "useSystemCAs"), "name a CA, or remove the line")


def header_config(headers: Sequence[Header], prefix: str) -> list[dict[str, str]]:
    """What the runtime is told: a value, or the variable that holds it."""
    return [
        {"name": header.name, "value": header.value}
        if header.value is not None
        else {"name": header.name, "env": _variable(prefix, header)}
        for header in headers
    ]


def _variable(prefix: str, header: Header) -> str:
    return f"{prefix}_HEADER_{_upper(header.name)}"


def _upper(name: str) -> str:
    """As in a variable: servers take `X-A` and `X_A` for one, too."""
    return re.sub(r"[^A-Za-z0-9]", "_", name).upper()


def tls_config(tls: ClientTls | None, name: str) -> dict[str, Any] | None:
    """Where the runtime finds the files."""
    if tls is None:
        return None
    folder, has_ca = f"{TLS_FOLDER}/{name}", bool(tls.ca_secret_ref or tls.ca_config_map_ref)
    certificate = f"{folder}/client" if tls.client_certificate_secret_ref else None
    return {
        "ca_file": f"{folder}/ca/ca.crt" if has_ca else None,
        "certificate_file": f"{certificate}/tls.crt" if certificate else None,
        "key_file": f"{certificate}/tls.key" if certificate else None,
        "use_system_cas": tls.use_system_cas,
    }


def needs(headers: Sequence[Header], tls: ClientTls | None, prefix: str, name: str) -> Contribution:
    """The variables and files of a connection. `name` is a folder, unique in the pod, such as models/gpt4."""
    variables = {
        Variable(_variable(prefix, header), secret=header.secret_ref.name, key=header.secret_ref.key)
        for header in headers
        if header.secret_ref
    }
    return Contribution(frozenset(variables), frozenset(_mounts(tls, name) if tls else ()))


def _mounts(tls: ClientTls, name: str) -> Iterator[Mount]:
    folder, volume = f"{TLS_FOLDER}/{name}", re.sub(r"[^a-z0-9]+", "-", name.lower())
    if tls.ca_secret_ref:
        items = ((tls.ca_secret_ref.key, "ca.crt"),)
        yield Mount(_short(f"ca-{volume}"), f"{folder}/ca", secret=tls.ca_secret_ref.name, items=items)
    elif tls.ca_config_map_ref:
        items = ((tls.ca_config_map_ref.key, "ca.crt"),)
        yield Mount(_short(f"ca-{volume}"), f"{folder}/ca", config_map=tls.ca_config_map_ref.name, items=items)
    if tls.client_certificate_secret_ref:
        files = (("tls.crt", "tls.crt"), ("tls.key", "tls.key"))
        secret = tls.client_certificate_secret_ref.name
        yield Mount(_short(f"client-{volume}"), f"{folder}/client", secret=secret, items=files)


def _short(volume: str) -> str:
    """A volume's name has at most 63 characters; a hash keeps two long ones apart."""
    import hashlib

    if len(volume) <= 63:
        return volume.strip("-")
    return f"{volume[:54].strip('-')}-{hashlib.sha256(volume.encode()).hexdigest()[:8]}"
