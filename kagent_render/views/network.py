"""Network policies in words: whom a pod may call, and who may call it."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kagent_render.targets.network_policy import NAMESPACE_LABEL, PRIVATE_V4, PRIVATE_V6
from kagent_render.views import cilium
from kagent_render.views.flow import Flow

_PUBLIC = {"0.0.0.0/0": PRIVATE_V4, "::/0": PRIVATE_V6}


ANY = Flow("", "", "")


def flows(policies: Iterable[Mapping[str, Any]], direction: str) -> set[Flow]:
    """What the policies that select a pod allow in a direction (`Egress`, `Ingress`); without one, everything."""
    allowed = [_of_policy(policy, direction) for policy in policies]
    chosen = [found for found in allowed if found is not None]
    return {flow for found in chosen for flow in found} if chosen else {ANY}


def _of_policy(policy: Mapping[str, Any], direction: str) -> Iterator[Flow] | None:
    """What one policy allows in a direction; None where it says nothing of it."""
    spec = policy["spec"]
    if policy["kind"] == "CiliumNetworkPolicy":
        return cilium.flows(spec, direction)
    if direction not in (spec.get("policyTypes") or ["Ingress"]):
        return None
    side = "to" if direction == "Egress" else "from"
    return (flow for rule in spec.get(direction.lower()) or () for flow in _of_rule(rule, side))


def _of_rule(rule: Mapping[str, Any], side: str) -> Iterator[Flow]:
    peers = [json.dumps(peer, sort_keys=True) for peer in rule.get(side) or ()] or [""]
    ports = [(item.get("protocol") or "TCP", _port(item)) for item in rule.get("ports") or ()] or [("", "")]
    for peer in peers:
        for protocol, port in ports:
            yield Flow(peer, protocol, port)


def _port(item: Mapping[str, Any]) -> str:
    first, last = item.get("port"), item.get("endPort")
    return f"{first}-{last}" if last else str(first or "")


def not_covered(items: Iterable[Flow], others: set[Flow]) -> set[Flow]:
    """The flows that no flow of `others` allows too: only these are a real change."""
    return {flow for flow in items if not any(_covers(other, flow) for other in others)}


def _covers(wide: Flow, narrow: Flow) -> bool:
    if wide.protocol not in ("", narrow.protocol) or wide.port not in ("", narrow.port):
        return False
    return wide.peer in ("", narrow.peer) or _covers_address(wide.peer, narrow.peer)


def _covers_address(wide: str, narrow: str) -> bool:
    one, other = _block(wide), _block(narrow)
    if one is None or other is None or not _within(other["cidr"], one["cidr"]):
        return False
    holes = other.get("except") or []
    return all(
        any(_within(hole, own) for own in holes) or not _overlaps(hole, other["cidr"])
        for hole in one.get("except") or ()
    )


def _block(peer: str) -> dict[str, Any] | None:
    block = json.loads(peer).get("ipBlock") if peer else None
    return block if isinstance(block, dict) else None


def _within(inner: str, outer: str) -> bool:
    small, large = ipaddress.ip_network(inner, strict=False), ipaddress.ip_network(outer, strict=False)
    if isinstance(small, ipaddress.IPv4Network):
        return isinstance(large, ipaddress.IPv4Network) and small.subnet_of(large)
    return isinstance(large, ipaddress.IPv6Network) and small.subnet_of(large)


def _overlaps(one: str, other: str) -> bool:
    return _within(one, other) or _within(other, one)


def in_words(items: Iterable[Flow]) -> list[str]:
    """One phrase for each set of ports: `0.0.0.0/0 except private ranges on TCP 443`."""
    ports: dict[str, list[tuple[str, str]]] = {}
    for flow in sorted(items):
        ports.setdefault(flow.peer, []).append((flow.protocol, flow.port))
    grouped: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for peer, allowed in ports.items():
        grouped.setdefault(tuple(allowed), []).append(peer)
    return sorted(f"{_peers(peers)} {_ports(allowed)}" for allowed, peers in grouped.items())


def _ports(allowed: Iterable[tuple[str, str]]) -> str:
    by_protocol: dict[str, list[str]] = {}
    for protocol, port in allowed:
        by_protocol.setdefault(protocol, []).append(port)
    if "" in by_protocol:
        return "on any port"
    parts = [f"{name} {', '.join(sorted(found, key=_natural))}".strip() for name, found in by_protocol.items()]
    return "on " + " and ".join(parts)


def _natural(port: str) -> tuple[int, str]:
    return (len(port), port)


def _peers(peers: list[str]) -> str:
    names = sorted(peer_in_words(peer) for peer in peers)
    for ending in (" except private ranges", ""):
        both = [f"{cidr}{ending}" for cidr in _PUBLIC]
        if all(name in names for name in both):
            names = [" and ".join(_PUBLIC) + ending, *(name for name in names if name not in both)]
    return ", ".join(names)


def peer_in_words(peer: str) -> str:
    """A NetworkPolicyPeer as people say it."""
    if not peer:
        return "any address"
    data = json.loads(peer)
    if name := data.get("name"):
        return str(name)
    if block := data.get("ipBlock"):
        return _block_in_words(block)
    pods = _labels(data.get("podSelector") or {})
    namespaces = data.get("namespaceSelector")
    where = _namespaces(namespaces) if namespaces is not None else "its own namespace"
    return f"pods {pods} in {where}" if pods else where


def _block_in_words(block: Mapping[str, Any]) -> str:
    cidr, holes = block["cidr"], block.get("except") or []
    if not holes:
        return str(cidr)
    is_private = sorted(holes) == sorted(_PUBLIC.get(cidr, ()))
    return f"{cidr} except {'private ranges' if is_private else ', '.join(holes)}"


def _namespaces(selector: Mapping[str, Any]) -> str:
    labels = selector.get("matchLabels") or {}
    if set(labels) == {NAMESPACE_LABEL} and "matchExpressions" not in selector:
        return f"namespace {labels[NAMESPACE_LABEL]}"
    text = _labels(selector)
    return f"namespaces {text}" if text else "any namespace"


def _labels(selector: Mapping[str, Any]) -> str:
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    if expressions := selector.get("matchExpressions"):
        parts.append(json.dumps(expressions, sort_keys=True))
    return ",".join(parts)
