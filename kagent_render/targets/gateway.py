"""HTTPRoute of the Gateway API, when the Platform has an ingress.

Defaulted fields stand in the template: inside lists, Argo CD shows what the server adds as a difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kagent_render.lower import Workload
from kagent_render.targets.objects import PORT, metadata
from kagent_render.targets.templating import render


def objects(workload: Workload) -> Iterator[tuple[str, dict[str, Any]]]:
    """One HTTPRoute, for the host `<name>.<domain>`."""
    ingress = workload.platform.ingress
    if ingress is None:
        return
    gateway = ingress.gateway
    context = {
        "metadata": metadata(workload),
        "name": workload.name,
        "host": f"{workload.name}.{ingress.domain}",
        "gateway": {"name": gateway.name, "namespace": gateway.namespace, "section": gateway.section_name},
        "timeout": f"{ingress.timeout_seconds}s",
        "port": PORT,
    }
    yield "httproute.yaml", render("gateway/httproute.yaml.j2", context)
