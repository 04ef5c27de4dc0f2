"""A network at the socket's edge: names have the answers of a table, and every address ends at a server of the test.

Nothing leaves the machine. An address without a route of its own ends at `elsewhere`, so whoever connects to a place
where nobody should is seen there: metadata of a cloud and a private network are as near as the loopback interface.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

Place = tuple[str, int]


class Wire:
    """Installed for the life of a MonkeyPatch. A name with several answers gives one after the other."""

    def __init__(
        self, names: Mapping[str, Sequence[Sequence[str]]], routes: Mapping[Place, int], elsewhere: int
    ) -> None:
        self._names, self._routes, self._elsewhere = names, routes, elsewhere
        self.asked: list[str] = []
        self.connected: list[Place] = []

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Answer for getaddrinfo, and route connect."""
        resolve, connect = socket.getaddrinfo, socket.socket.connect

        def resolving(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
            name = host.decode("ascii") if isinstance(host, bytes) else str(host)
            self.asked.append(name)
            answers = self._names.get(name.lower().removesuffix("."))
            if answers is None:
                # What is no address in any form is not asked of the real DNS.
                return resolve(name, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
            answer = answers[min(self.asked.count(name), len(answers)) - 1]
            return [_entry(address, int(port or 0)) for address in answer]

        def connecting(own: socket.socket, address: Any) -> None:
            if own.family in (socket.AF_INET, socket.AF_INET6):
                place = (str(address[0]), int(address[1]))
                self.connected.append(place)
                port = self._routes.get(place, self._elsewhere)
                address = ("::1" if own.family == socket.AF_INET6 else "127.0.0.1", port)
            connect(own, address)

        patch.setattr(socket, "getaddrinfo", resolving)
        patch.setattr(socket.socket, "connect", connecting)

    def forget(self) -> None:
        """Start anew: every name gives its first answer again."""
        self.asked.clear()
        self.connected.clear()


def _entry(address: str, port: int) -> tuple[Any, ...]:
    if ":" in address:
        text, _, zone = address.partition("%")
        return (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address if zone else text, port, 0, 1 if zone else 0))
    return (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
