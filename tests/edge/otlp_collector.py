"""An OpenTelemetry collector on loopback: real OTLP over HTTP, decoded with the protocol's own definitions."""

from __future__ import annotations

import gzip
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.edge.loopback import LoopbackServer


@dataclass(frozen=True)
class ReceivedSpan:
    """A span as it came over the wire. Ids are hexadecimal; `parent` is empty for a root."""

    name: str
    trace_id: str
    span_id: str
    parent: str
    kind: int
    attributes: dict[str, Any]
    resource: dict[str, Any]
    status: int
    status_message: str
    events: int
    seconds: float = field(compare=False)


class OtlpCollector(LoopbackServer):
    """Takes traces on `/v1/traces`; `status` is what it answers."""

    def __init__(self, *, status: int = 200, port: int = 0) -> None:
        super().__init__(Starlette(routes=[Route("/v1/traces", self._receive, methods=["POST"])]), port=port)
        self.status = status
        self.requests = 0
        self.raw = b""
        self._spans: list[ReceivedSpan] = []
        self._grown = threading.Condition()

    @property
    def spans(self) -> list[ReceivedSpan]:
        """What has arrived."""
        with self._grown:
            return list(self._spans)

    def wait_for_span(self, name: str, timeout: float = 20) -> list[ReceivedSpan]:
        """All spans, once one of this name is among them; raises TimeoutError."""
        deadline = time.monotonic() + timeout
        with self._grown:
            while not any(span.name == name for span in self._spans):
                if not self._grown.wait(max(deadline - time.monotonic(), 0)):
                    raise TimeoutError(f"{sorted(span.name for span in self._spans)} after {timeout} s")
            return list(self._spans)

    async def _receive(self, request: Request) -> Response:
        body = await request.body()
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        message = ExportTraceServiceRequest.FromString(body)
        with self._grown:
            self.requests += 1
            if self.status == 200:
                self.raw += body
                self._spans += _spans(message)
            self._grown.notify_all()
        return Response(status_code=self.status, media_type="application/x-protobuf")


def _spans(message: ExportTraceServiceRequest) -> list[ReceivedSpan]:
    return [
        ReceivedSpan(
            span.name,
            span.trace_id.hex(),
            span.span_id.hex(),
            span.parent_span_id.hex(),
            span.kind,
            _attributes(span.attributes),
            _attributes(group.resource.attributes),
            span.status.code,
            span.status.message,
            len(span.events),
            (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
        )
        for group in message.resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    ]


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    return getattr(value, kind) if kind else None
