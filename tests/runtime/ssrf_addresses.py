"""Addresses that a tool must not call, their spellings, and the names that lead to them. Data only.

Names are answered by `NAMES`; `shop.example.com` is the server that a spec means.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

PUBLIC = "93.184.216.34"  # shop.example.com, the server that a spec names
OTHER = "93.184.216.35"  # other.example.com, whom nobody named
# Inside, in the order of how bad it is: the pod, the node and the clouds, the network around them.
INSIDE = ["127.0.0.1", "169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "10.0.0.7", "192.168.1.1"]
NEVER = [
    "0.0.0.0",
    "0.1.2.3",
    "100.100.100.200",  # Alibaba Cloud
    "168.63.129.16",  # Azure
    "169.254.169.254",  # AWS, Azure, Google Cloud, and most others
    "169.254.169.253",
    "169.254.170.2",  # credentials of ECS
    "169.254.170.23",  # EKS Pod Identity
    "169.254.42.42",  # Scaleway
    "169.254.0.23",  # Tencent Cloud
    "169.254.20.10",  # the DNS cache of the node
    "192.0.0.192",  # Oracle Cloud
    "192.88.99.1",
    "224.0.0.251",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:10.0.0.7",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::",
    "2001:0:a9fe:a9fe::1",
    "2001:0:1:2:3:4:5601:5601",  # Teredo, of 169.254.169.254
    "fd00:42::42",  # Scaleway
    "fd00:100::100:200",  # Alibaba Cloud
    "fd00:a9fe:a9fe::1",  # Akamai
    "fd00:c1::a9fe:a9fe",  # Oracle Cloud
    "fd00:ec2::254",  # AWS
    "fd00:ec2::23",  # EKS Pod Identity
    "fd20:ce::254",  # Google Cloud
    "fe80::a9fe:a9fe",  # OpenStack
    "fe80::5efe:7f00:1",  # ISATAP
    "fe80::1%1",
    "fec0::7",
    "ff02::1",
]
PRIVATE = ["10.0.0.7", "10.96.0.1", "100.64.0.1", "172.16.0.1", "172.31.255.254", "192.168.1.1", "198.18.0.1"]
PRIVATE += ["fc00::7", "fd12:3456:789a::1"]
LOOPBACK = ["127.0.0.1", "127.0.0.53", "127.255.255.254", "::1"]


def spellings(dotted: str) -> Iterator[str]:
    """Every way to write an IPv4 address that some parser, resolver or gateway reads as it."""
    number = int(ipaddress.IPv4Address(dotted))
    a, b, c, d = dotted.split(".")
    high, low = f"{number >> 16:x}", f"{number & 0xFFFF:x}"
    yield from (dotted, f"{dotted}.", str(number), f"{number:#x}", f"0X{number:X}", f"0{number:o}", f"000{number:o}")
    yield f"{a}.{number & 0xFFFFFF}"
    yield f"{a}.{b}.{number & 0xFFFF}"
    yield ".".join(f"0x{int(part):x}" for part in dotted.split("."))
    yield ".".join(f"0{int(part):o}" for part in dotted.split("."))
    yield ".".join(f"0000{int(part):o}" for part in dotted.split("."))
    yield f"0x{int(a):x}.{b}.0{int(c):o}.{d}"
    yield f"0x{int(a):x}.{number & 0xFFFFFF}"
    yield from (f"[::ffff:{dotted}]", f"[::FFFF:{high}:{low}]", f"[0:0:0:0:0:ffff:{high}:{low}]")
    yield from (f"[::{dotted}]", f"[::ffff:0:{dotted}]")
    yield from (f"[64:ff9b::{dotted}]", f"[64:ff9b::{high}:{low}]", f"[64:ff9b:1::{high}:{low}]")
    yield from (f"[2002:{high}:{low}::]", f"[2001:0:{high}:{low}::1]", f"[fe80::5efe:{dotted}]")
    yield "".join(f"%{ord(char):02x}" for char in dotted)
    yield dotted.replace(".", "%2e")
    yield dotted.replace(".", "%252e")
    for full_stop in "\u3002\uff0e\uff61":
        yield dotted.replace(".", full_stop)
    for zero in (0xFF10, 0x1D7CE, 0x1D7D8, 0x0660):  # full-width, mathematical, double-struck, Arabic-Indic
        yield "".join(chr(zero + int(char)) if char.isdigit() else char for char in dotted)
    yield "".join("⓪①②③④⑤⑥⑦⑧⑨"[int(char)] if char.isdigit() else char for char in dotted)


HOSTS = list(dict.fromkeys(host for address in INSIDE for host in spellings(address)))
HOSTS += [
    "0",
    "0.0.0.0",
    "0x0",
    "00",
    "127.1",
    "127.0.1",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000::0001]",
    "[::1%25lo]",
]
HOSTS += [f"[{address}]" for address in (*NEVER, *PRIVATE, *LOOPBACK) if ":" in address and "%" not in address]
HOSTS += ["[fe80::1%25eth0]", "[fe80::1%eth0]", "[::ffff:127.0.0.1%251]", "[v1.127.0.0.1]", "[127.0.0.1]"]
HOSTS = list(dict.fromkeys(HOSTS))

# Names, and what they lead to. None of them is in the cluster.
LEADING_INSIDE = {
    "localhost": "127.0.0.1",
    "localhost.localdomain": "127.0.0.1",
    "anything.localhost": "127.0.0.1",
    "ip6-localhost.example.com": "::1",
    "localtest.me": "127.0.0.1",
    "lvh.me": "127.0.0.1",
    "spoofed.burpcollaborator.net": "127.0.0.1",
    "127.0.0.1.nip.io": "127.0.0.1",
    "127-0-0-1.sslip.io": "127.0.0.1",
    "app-169-254-169-254.nip.io": "169.254.169.254",
    "a9fea9fe.nip.io": "169.254.169.254",
    "metadata.google.internal": "169.254.169.254",
    "metadata.goog": "169.254.169.254",
    "instance-data.ec2.internal": "169.254.169.254",
    "metadata.tencentyun.com": "169.254.0.23",
    "metadata.platformequinix.com": "10.0.0.7",
    "rancher-metadata.rancher.internal": "169.254.169.250",
    "api.metadata.cloud.ibm.com": "169.254.169.254",
    "host.docker.internal": "192.168.65.254",
    "host.containers.internal": "169.254.1.2",
    "kubernetes.default": "10.96.0.1",
    "vault.prod": "10.96.0.9",
    "vault.prod.svc.example.com": "10.96.0.9",
    "xn--fa-hia.example.com": "10.0.0.7",
    "xn--bcher-kva.example.com": "127.0.0.1",
    "xn--1-9ga.example.com": "169.254.169.254",
    "a_b.example.com": "10.0.0.7",
}
# Services of the cluster may be private; they never are the pod itself, or metadata.
SERVICES = {
    "vault": "127.0.0.1",
    "vault.prod.svc": "127.0.0.1",
    "vault.prod.svc.cluster.local": "::1",
    "metadata": "169.254.169.254",
    "metadata.kube-system.svc": "169.254.169.254",
    "instance-data": "169.254.169.254",
    "identity.aws.svc": "fd00:ec2::23",
    "identity.google.svc.cluster.local": "fd20:ce::254",
    "wireserver.azure.svc": "168.63.129.16",
}
TARGETS = [*NEVER, *PRIVATE, *LOOPBACK]


def name_of(kind: str, address: str) -> str:
    """A name that leads to an address."""
    key = address.replace(".", "-").replace(":", "x").replace("%", "-zone-")
    return f"{kind}-{key}.evil.example.com"


# One bad address is enough, wherever in the answer it is.
ANSWERS = {name_of("a", address): [[address]] for address in TARGETS}
ANSWERS |= {name_of("b", address): [[PUBLIC, address]] for address in TARGETS}
ANSWERS |= {name_of("c", address): [["2606:4700::1111", address, PUBLIC]] for address in TARGETS[::4]}
# The second answer comes a moment after the first was judged.
REBOUND = {name_of("r", address): [[PUBLIC], [address]] for address in TARGETS}
NAMES: dict[str, list[list[str]]] = {name: [[address]] for name, address in (LEADING_INSIDE | SERVICES).items()}
NAMES |= {"fass.example.com": [[OTHER]], "shop.example.com": [[PUBLIC]], "other.example.com": [[OTHER]]}
NAMES |= {"kubernetes.default.svc": [["10.96.0.1"]], "vault.real.svc": [["10.96.0.9"]], "db": [["10.96.0.5"]]}
NAMES |= {**ANSWERS, **REBOUND}
