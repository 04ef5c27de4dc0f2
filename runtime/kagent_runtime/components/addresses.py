"""Which addresses a tool may connect to. `ipaddress.is_global` is not asked: on Python 3.11 it is true for several
that lead to the metadata of a cloud.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Literal

Kind = Literal["public", "private", "loopback", "never"]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_LOOPBACK = ("127.0.0.0/8", "::1/128")
# RFC 1918, carrier-grade NAT (the pods of some clusters), benchmarking, unique local.
_PRIVATE = ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "198.18.0.0/15", "fc00::/7")
_NEVER = (
    "0.0.0.0/8",
    "100.100.100.200/32",  # metadata of Alibaba Cloud
    "168.63.129.16/32",  # metadata of Azure
    "169.254.0.0/16",  # link-local: metadata of everybody else
    "192.0.0.0/24",  # protocol assignments: metadata of Oracle Cloud
    "192.0.2.0/24",
    "192.88.99.0/24",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",  # multicast, reserved, broadcast
    "2001::/23",  # Teredo, ORCHID
    "2001:db8::/32",
    "2002::/16",  # 6to4: has any IPv4 address in it
    "3fff::/20",
    "fd00:42::42/128",  # metadata of Scaleway
    "fd00:100::100:200/128",  # metadata of Alibaba Cloud
    "fd00:a9fe:a9fe::1/128",  # metadata of Akamai
    "fd00:c1::a9fe:a9fe/128",  # metadata of Oracle Cloud
    "fd00:ec2::/32",  # metadata of AWS, and the credentials of EKS Pod Identity
    "fd20:ce::254/128",  # metadata of Google Cloud
)
_NUMBER = re.compile(r"([0-9]+|0x[0-9a-f]*)\Z")  # which resolvers read as an address
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def kind_of(text: str) -> Kind:
    """What an address is. Text that is none, or has a zone, is `never`."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return "never"
    if isinstance(address, ipaddress.IPv6Address) and address in _NAT64:
        # In a cluster with IPv6 only, DNS64 makes these of every public IPv4 address.
        address = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return "public" if _kind(address) == "public" else "never"
    return _kind(address)


def _kind(address: Address) -> Kind:
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id:
        return "never"
    if _is_in(_NEVER, address):
        return "never"
    if _is_in(_LOOPBACK, address):
        return "loopback"
    if _is_in(_PRIVATE, address):
        return "private"
    # Mapped, compatible, site-local and link-local IPv6 addresses are outside of this network.
    is_public = isinstance(address, ipaddress.IPv4Address) or address in _GLOBAL_UNICAST
    return "public" if is_public else "never"


_NETWORKS = {text: ipaddress.ip_network(text) for text in (*_LOOPBACK, *_PRIVATE, *_NEVER)}


def _is_in(networks: tuple[str, ...], address: Address) -> bool:
    return any(address in _NETWORKS[text] for text in networks)


def is_in_cluster(host: str) -> bool:
    """Whether a host names a Service: one label, or an ending that only the cluster's DNS has."""
    labels = host.lower().removesuffix(".").split(".")
    if len(labels) == 1:
        return ":" not in host and labels[0] != "localhost" and not _NUMBER.match(labels[0])
    return labels[2:] in (["svc"], ["svc", "cluster", "local"])
