"""CiliumNetworkPolicies as flows. Peers that a NetworkPolicy knows too are told in its terms, so that both compare.

Rule fields: https://docs.cilium.io/en/stable/security/policy/language/.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kagent_render.targets.network_policy import NAMESPACE_LABEL
from kagent_render.views.flow import Flow

_POD_NAMESPACE = "io.kubernetes.pod.namespace"
_PREFIX = "k8s:"
_ENTITIES = {"kube-apiserver": "the Kubernetes API server", "world": "any address outside the cluster"}


def flows(spec: Mapping[str, Any], direction: str) -> Iterator[Flow] | None:
    """What the spec allows in a direction (`Egress`, `Ingress`); None where it says nothing of it."""
    rules = spec.get(direction.lower())
    if rules is None:
        return None
    side = "to" if direction == "Egress" else "from"
    return (flow for rule in rules for flow in _of_rule(rule, side))


def _of_rule(rule: Mapping[str, Any], side: str) -> Iterator[Flow]:
    keys = [key for key in rule if key.startswith(side) and key != f"{side}Ports"]
    peers = [peer for key in keys for item in rule[key] for peer in _peers(key.removeprefix(side), item)]
    for peer in peers if keys else [""]:
        for protocol, port in _ports(rule.get(f"{side}Ports")):
            yield Flow(peer, protocol, port)


def _ports(groups: list[dict[str, Any]] | None) -> Iterator[tuple[str, str]]:
    if groups is None:
        yield "", ""
    for group in groups or ():
        for item in group.get("ports") or ():
            last = item.get("endPort")
            port = f"{item['port']}-{last}" if last else str(item["port"])
            protocol = item.get("protocol") or "ANY"
            yield from ((name, port) for name in (("UDP", "TCP") if protocol == "ANY" else (protocol,)))


def _peers(kind: str, item: Any) -> Iterator[str]:
    if kind == "Endpoints":
        yield _dumped(_endpoint(item.get("matchLabels") or {}, item.get("matchExpressions")))
    elif kind == "CIDR":
        yield _dumped({"ipBlock": {"cidr": item}})
    elif kind == "CIDRSet" and "cidr" in item:
        yield _dumped({"ipBlock": {key: item[key] for key in ("cidr", "except") if key in item}})
    elif kind == "FQDNs":
        yield _dumped({"name": item.get("matchName") or item.get("matchPattern")})
    elif kind == "Entities":
        yield _dumped({"name": _ENTITIES.get(item, f"entity {item}")})
    else:
        yield _dumped({"name": f"{kind[0].lower()}{kind[1:]} {json.dumps(item, sort_keys=True)}"})


def _endpoint(labels: Mapping[str, str], expressions: Any) -> dict[str, Any]:
    plain = {key.removeprefix(_PREFIX): value for key, value in labels.items()}
    namespace = plain.pop(_POD_NAMESPACE, None)
    pods = ({"matchLabels": plain} if plain else {}) | ({"matchExpressions": expressions} if expressions else {})
    if namespace is None:
        return {"podSelector": pods}
    place = {"namespaceSelector": {"matchLabels": {NAMESPACE_LABEL: namespace}}}
    return place | ({"podSelector": pods} if pods else {})


def _dumped(peer: Mapping[str, Any]) -> str:
    return json.dumps(peer, sort_keys=True)
