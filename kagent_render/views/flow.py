"""One thing that a network policy allows."""

from __future__ import annotations

from typing import NamedTuple


class Flow(NamedTuple):
    """A peer, as the JSON of its NetworkPolicyPeer, and a port. "" is any peer, any protocol, any port.

    A peer that only another kind of policy knows is `{"name": …}`, as people say it.
    """

    peer: str
    protocol: str
    port: str
