"""Probes and lifecycle handlers.

Source: k8s.io/kubernetes, pkg/apis/core/validation/validation.go: validateProbe, validateHandler, validateLifecycle.
"""

from __future__ import annotations

from kagent_render.rules.grammar import header_name, port, port_number
from kagent_render.rules.walk import JSON, Found, each, exactly_one, not_below, one_of, required
from kagent_render.schemas import Defect
from kagent_render.schemas.validator import Path

PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_NUMBERS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")


def probes(container: JSON, path: Path) -> Found:
    """All three of a container."""
    for name in PROBES:
        probe, place = container.get(name), (*path, name)
        if probe is None:
            continue
        yield from _handler(probe, place, ("exec", "httpGet", "tcpSocket", "grpc"))
        for number in _NUMBERS:
            yield from not_below(probe, number, 0, place)
        yield from _thresholds(name, probe, place)


def _thresholds(name: str, probe: JSON, path: Path) -> Found:
    """One success means that it is alive; the kubelet needs a second before it kills."""
    if name != "readinessProbe" and probe.get("successThreshold") not in (None, 0, 1):
        yield Defect((*path, "successThreshold"), f"has to be 1, not `{probe['successThreshold']}`")
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is None:
        return
    if name == "readinessProbe":
        yield Defect((*path, "terminationGracePeriodSeconds"), "may not be there for a readinessProbe")
    elif grace <= 0:
        yield Defect((*path, "terminationGracePeriodSeconds"), f"`{grace}` is less than 1")


def lifecycle(container: JSON, path: Path) -> Found:
    """postStart and preStop."""
    handlers = container.get("lifecycle") or {}
    for name in ("postStart", "preStop"):
        if handlers.get(name) is not None:
            kinds = ("exec", "httpGet", "tcpSocket", "sleep")
            yield from _handler(handlers[name], (*path, "lifecycle", name), kinds)


def _handler(handler: JSON, path: Path, kinds: tuple[str, ...]) -> Found:
    yield from exactly_one(handler, kinds, path, "handler")
    if (command := handler.get("exec")) is not None:
        yield from required(command, "command", (*path, "exec"))
    if (request := handler.get("httpGet")) is not None:
        yield from _request(request, (*path, "httpGet"))
    if (socket := handler.get("tcpSocket")) is not None:
        yield from _port(socket, (*path, "tcpSocket"))
    if (call := handler.get("grpc")) is not None and (message := port_number(call.get("port") or 0)):
        yield Defect((*path, "grpc", "port"), message)


def _request(request: JSON, path: Path) -> Found:
    """validateHTTPGetAction. The path has a default."""
    yield from _port(request, path)
    yield from one_of(request, "scheme", ("HTTP", "HTTPS"), path)
    for header, place in each(request, "httpHeaders", path):
        if message := header_name(header.get("name") or ""):
            yield Defect((*place, "name"), message)


def _port(item: JSON, path: Path) -> Found:
    """ValidatePortNumOrName."""
    if message := port(item.get("port") or 0):
        yield Defect((*path, "port"), message)
