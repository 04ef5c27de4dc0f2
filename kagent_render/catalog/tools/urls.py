"""The URLs of tools: their form, the endpoint they imply, and the addresses the runtime will not connect to."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from kagent_render.catalog.base import Endpoint, Problem
from kagent_render.catalog.tools.placeholders import PLACEHOLDER, names

Location = tuple[int | str, ...]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_HOST_LABEL = re.compile(r"[A-Za-z0-9_]([-A-Za-z0-9_]{0,61}[A-Za-z0-9_])?\Z")
# Resolvers read 127.1, 0x7f000001 and 2852039166 as addresses.
_NUMBER = re.compile(r"([0-9]+|0x[0-9a-f]*)\Z")
# RFC 3986: unreserved, sub-delims, ":", "@", "/" and percent escapes; the query has "?" too.
_PATH = re.compile(r"([A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*\Z")
_QUERY = re.compile(r"([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*\Z")
_DOTS = re.compile(r"(\.|%2[Ee]){1,2}\Z")
# Judged as the runtime judges them (kagent_runtime/components/addresses.py): inside a network, open on request.
_PRIVATE = (
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "::1/128",
    "fc00::/7",
)
# Never called. `is_global` of Python 3.11 is true for several of these; of IPv6 only 2000::/3 is public at all.
_NEVER = (
    "0.0.0.0/8",
    "100.100.100.200/32",  # metadata of Alibaba Cloud
    "168.63.129.16/32",  # metadata of Azure
    "169.254.0.0/16",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "fd00:42::42/128",  # metadata of Scaleway
    "fd00:100::100:200/128",  # metadata of Alibaba Cloud
    "fd00:a9fe:a9fe::1/128",  # metadata of Akamai
    "fd00:c1::a9fe:a9fe/128",  # metadata of Oracle Cloud
    "fd00:ec2::/32",  # metadata of AWS, and the credentials of EKS Pod Identity
    "fd20:ce::254/128",  # metadata of Google Cloud
)


def is_in_cluster(host: str) -> bool:
    """Whether a host names a Service: one label, or an ending that only the cluster's DNS has."""
    labels = host.lower().removesuffix(".").split(".")
    if len(labels) == 1:
        return ":" not in host and labels[0] != "localhost" and not _NUMBER.match(labels[0])
    return labels[2:] in (["svc"], ["svc", "cluster", "local"])


def endpoint_of(url: str, *, is_private: bool) -> Endpoint:
    """What the NetworkPolicy has to let through. Only for a checked URL."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return Endpoint((parts.hostname or "").removesuffix("."), port, parts.scheme, is_private=is_private)


def check_url(url: str, location: Location, *, is_template: bool, allows_private: bool) -> Iterator[Problem]:
    """A URL that cannot work, that leaves its place, or that the runtime refuses to connect to."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        yield Problem("KR353", "the URL is not well-formed", location, "https://host[:port]/path")
        return
    found = _defect(url, parts, port, is_template)
    if found:
        yield Problem("KR353", found[0], location, found[1])
    else:
        yield from _check_host(parts, location, allows_private)


def _defect(url: str, parts: SplitResult, port: int | None, is_template: bool) -> tuple[str, str | None] | None:
    origin = f"{parts.scheme}://{parts.netloc}"
    if names(origin):
        return "a parameter cannot choose the scheme, host or port", "write the host out; one Tool has one server"
    if parts.scheme not in ("http", "https") or not url.lower().startswith(("http://", "https://")):
        return f"`{parts.scheme or url[:40]}` is not http or https", "https://host[:port]/path"
    if "@" in parts.netloc:
        return "a URL with a user or password", "use `auth`, which names a Secret"
    if not parts.hostname or port == 0 or not _is_host(parts.hostname):
        return f"`{parts.netloc}` is not a host with an optional port", "a DNS name, or an address in its usual form"
    return _path_defect(parts, is_template)


def _path_defect(parts: SplitResult, is_template: bool) -> tuple[str, str | None] | None:
    path, query = (PLACEHOLDER.sub("x", text) if is_template else text for text in (parts.path, parts.query))
    if parts.fragment:
        return "a fragment (`#…`) is never sent", "remove it"
    if query and not is_template:
        return "the URL of a server has no `?`", "remove it"
    for text, allowed in ((path, _PATH), (query, _QUERY)):
        if not allowed.match(text):
            return f"`{text}` has characters that a URL cannot have", "percent-encode them, as %20"
    if any(_DOTS.match(segment) for segment in parts.path.split("/")):
        return "`.` and `..` in a path leave their place", "write the path out"
    return None


def _is_host(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        labels = host.removesuffix(".").split(".")
        is_number = _NUMBER.match(labels[-1].lower()) is not None
        return not is_number and len(host) <= 253 and all(_HOST_LABEL.match(label) for label in labels)
    return "%" not in host


def _check_host(parts: SplitResult, location: Location, allows_private: bool) -> Iterator[Problem]:
    host = parts.hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.removesuffix(".")
        if (name == "localhost" or name.endswith(".localhost")) and not allows_private:
            help = "for a container of the same pod add `allowPrivateAddresses: true`"
            yield Problem("KR358", f"`{host}` is the pod itself", location, help)
        elif parts.scheme == "http" and name.count(".") == 1 and not name.endswith((".svc", ".localhost")):
            help = f"for the Service `{host.split('.')[0]}` in namespace `{host.split('.')[1]}` write {host}.svc"
            yield Problem("KR312", f"`{host}` is treated as a public host", location, help)
        return
    if not (_is_in(_PRIVATE, address) or _is_public(address)) or _is_in(_NEVER, address):
        message = f"`{host}` is an address that no tool may call"
        yield Problem("KR358", message, location, "metadata, link-local, multicast and reserved addresses are refused")
    elif _is_in(_PRIVATE, address) and not allows_private:
        yield Problem("KR358", f"`{host}` is a private address", location, "add `allowPrivateAddresses: true`")


def _is_in(networks: tuple[str, ...], address: Address) -> bool:
    return any(address in ipaddress.ip_network(network) for network in networks)


def _is_public(address: Address) -> bool:
    return isinstance(address, ipaddress.IPv4Address) or address in ipaddress.ip_network("2000::/3")
