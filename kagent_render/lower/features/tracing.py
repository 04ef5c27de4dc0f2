"""OpenTelemetry: the standard variables that the runtime reads, and the way to the collector."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from kagent_render.catalog.base import Contribution, Endpoint, Variable
from kagent_render.lower.workload import Workload
from kagent_render.specs.observability import Tracing


def contribute(workload: Workload) -> Contribution:
    """Variables and endpoint; nothing without `observability.tracing`."""
    settings = workload.platform.observability
    if settings is None or settings.tracing is None:
        return Contribution()
    tracing = settings.tracing
    values = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": tracing.endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": tracing.protocol,
        "OTEL_RESOURCE_ATTRIBUTES": _resource(workload, tracing),
        "OTEL_SERVICE_NAME": workload.name,
        # A caller who samples is followed; the ratio is for traces that start here.
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": f"{tracing.sample_ratio:g}",
    }
    variables = frozenset(Variable(name, value) for name, value in values.items())
    return Contribution(variables, endpoints=frozenset({_endpoint(tracing)}))


def _endpoint(tracing: Tracing) -> Endpoint:
    parts = urlsplit(tracing.endpoint)
    return Endpoint(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80), parts.scheme)


def _resource(workload: Workload, tracing: Tracing) -> str:
    """`key=value` pairs in order of the key, percent-encoded as the OpenTelemetry specification asks for."""
    own = {"k8s.container.name": "agent", "kagent.workload.kind": workload.kind}
    if workload.namespace:
        own |= {"k8s.namespace.name": workload.namespace, "service.namespace": workload.namespace}
    attributes = own | dict(tracing.resource_attributes)
    return ",".join(f"{key}={quote(attributes[key], safe='')}" for key in sorted(attributes))
