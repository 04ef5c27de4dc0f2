"""Who may call a workload, checked: nothing is rendered for it but variables and a mount of the pod."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kagent_render.catalog.base import Problem
from kagent_render.lower import Workload


def objects(workload: Workload) -> Iterator[tuple[str, dict[str, Any]]]:
    """None of its own."""
    yield from ()


def check(workload: Workload) -> Iterator[Problem]:
    """Callers that would be refused, and callers of the whole world who would not be."""
    platform = workload.platform
    settings, tls = platform.authentication, platform.tls
    if not workload.is_guarded and not (tls and tls.mutual):
        help = "add to the Platform: authentication: {type: Bearer, …} or {type: OIDC, …}"
        if platform.ingress:
            message = "whoever reaches the Gateway may use the agents and read what others said"
            yield Problem("KR590", message, ("ingress",), help)
        if workload.is_knative and workload.knative.visibility == "external":
            message = "whoever reaches Knative's domain may use the agents and read what others said"
            yield Problem("KR590", message, ("knative", "visibility"), help)
    if settings and settings.type == "OIDC" and settings.bearer is None and workload.asks:
        message = f"`{workload.name}` asks another agent, and has no token to show"
        help = "add bearer: {tokensSecretRef: {name: …, key: …}}, tokens for agents"
        yield Problem("KR592", message, ("authentication",), help)
    if workload.is_guarded and platform.dapr and platform.dapr.pubsub and not platform.dapr.app_token_secret:
        message = "Dapr's sidecar has no token to deliver events with"
        yield Problem("KR593", message, ("dapr", "pubsub"), "add appTokenSecret: a Secret with the key `token`")
