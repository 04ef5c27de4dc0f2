"""NetworkPolicies.

Source: k8s.io/kubernetes, pkg/apis/networking/validation/validation.go: ValidateNetworkPolicySpec.
"""

from __future__ import annotations

from kagent_render.rules.containers import PROTOCOLS
from kagent_render.rules.grammar import cidr, is_within, port, port_number, shown
from kagent_render.rules.selectors import label_selector
from kagent_render.rules.walk import JSON, Found, each, not_one_of, part, required, texts
from kagent_render.schemas import Defect
from kagent_render.schemas.validator import Path

_TYPES = ("Ingress", "Egress")
_PEERS = ("podSelector", "namespaceSelector", "ipBlock")


def network_policy(item: JSON, path: Path) -> Found:
    """Everything of a NetworkPolicy."""
    spec, place = part(item, "spec"), (*path, "spec")
    yield from label_selector(part(spec, "podSelector"), (*place, "podSelector"))
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for rule, at in each(spec, direction, place):
            for entry, there in each(rule, "ports", at):
                yield from _port(entry, there)
            for peer, there in each(rule, peers, at):
                yield from _peer(peer, there)
    yield from _types(spec, place)


def _types(spec: JSON, path: Path) -> Found:
    if len(spec.get("policyTypes") or ()) > len(_TYPES):
        yield Defect((*path, "policyTypes"), "has more than two items")
    for text, place in texts(spec, "policyTypes", path):
        if text not in _TYPES:
            yield Defect(place, not_one_of(text, _TYPES))


def _port(entry: JSON, path: Path) -> Found:
    """ValidateNetworkPolicyPort."""
    if entry.get("protocol") is not None and entry["protocol"] not in PROTOCOLS:
        yield Defect((*path, "protocol"), not_one_of(entry["protocol"], PROTOCOLS))
    value, end = entry.get("port"), entry.get("endPort")
    if value is not None and (message := port(value)):
        yield Defect((*path, "port"), message)
    if end is None:
        return
    if not isinstance(value, int):
        yield Defect((*path, "endPort"), "needs `port` to be a number")
    elif end < value or port_number(end):
        yield Defect((*path, "endPort"), f"{shown(end)} is not a port from {value} to 65535")


def _peer(peer: JSON, path: Path) -> Found:
    """ValidateNetworkPolicyPeer."""
    there = [name for name in _PEERS if peer.get(name) is not None]
    if not there:
        yield Defect(path, f"names no peer: one of {', '.join(_PEERS)}")
    if "ipBlock" in there and len(there) > 1:
        yield Defect((*path, "ipBlock"), f"may not be there beside `{there[0]}`")
    for name in ("podSelector", "namespaceSelector"):
        yield from label_selector(part(peer, name), (*path, name))
    if "ipBlock" in there:
        yield from _block(peer["ipBlock"], (*path, "ipBlock"))


def _block(block: JSON, path: Path) -> Found:
    """ValidateIPBlock."""
    yield from required(block, "cidr", path, cidr)
    for text, place in texts(block, "except", path):
        if message := cidr(text):
            yield Defect(place, message)
        elif not is_within(text, block.get("cidr") or ""):
            yield Defect(place, f"{shown(text)} is not a smaller part of {shown(block['cidr'])}")
