"""OpenTelemetry traces over OTLP, when the standard `OTEL_*` variables name an endpoint; else nothing is imported.

The variables are those of the OpenTelemetry specification; sampler and resource are read from them by the SDK.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from opentelemetry import trace

from kagent_runtime import __version__
from kagent_runtime.model import RuntimeConfig
from kagent_runtime.telemetry import propagation, spans

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

_log = logging.getLogger("kagent_runtime.tracing")
FLUSH_SECONDS = 4.0
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether an endpoint is named, and tracing not turned off."""
    is_off = environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    exporter = environment.get("OTEL_TRACES_EXPORTER", "otlp").strip().lower()
    return not is_off and exporter != "none" and any(environment.get(name) for name in _ENDPOINTS)


def start(config: RuntimeConfig, environment: Mapping[str, str]) -> Callable[[], None]:
    """Trace from now on; returns what sends the rest and stops. A collector that is away never fails the start."""
    if not is_wanted(environment):
        return lambda: None
    # Its messages repeat for every batch and quote URLs; of a broken export we tell once ourselves.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        own = {SERVICE_VERSION: __version__}
        if not environment.get("OTEL_SERVICE_NAME") and SERVICE_NAME not in environment.get(
            "OTEL_RESOURCE_ATTRIBUTES", ""
        ):
            own[SERVICE_NAME] = config.metadata.name
        provider = TracerProvider(resource=Resource.create(own), shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(_reporting(OTLPSpanExporter())))
    except Exception as error:
        _log.error("tracing is off: it cannot be set up", extra={"error": type(error).__name__})
        return lambda: None
    spans.use(provider.get_tracer("kagent-runtime", __version__))
    trace.set_tracer_provider(spans.LibraryTracers({agent.id: agent.name for agent in config.agents}))
    propagation.start()
    return lambda: _stop(provider.shutdown)


def _stop(shutdown: Callable[[], None]) -> None:
    # A collector that hangs must not hold the process beyond the grace period: what is not sent by then is lost.
    spans.use(None)
    last = threading.Thread(target=shutdown, name="last-spans", daemon=True)
    last.start()
    last.join(FLUSH_SECONDS)


def _reporting(exporter: SpanExporter) -> SpanExporter:
    """The exporter, that says once that it fails, and once that it works again."""
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    class Reporting(SpanExporter):
        _is_failing = False

        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            try:
                result = exporter.export(spans)
            except Exception:
                result = SpanExportResult.FAILURE
            is_failing = result is not SpanExportResult.SUCCESS
            if is_failing != self._is_failing:
                self._is_failing = is_failing
                _log.warning("traces cannot be sent; they are dropped" if is_failing else "traces are sent again")
            return result

        def shutdown(self) -> None:
            exporter.shutdown()

    return Reporting()
