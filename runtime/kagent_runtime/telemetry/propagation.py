"""W3C trace context: the caller's span is a run's parent, and who is called during a run gets the current one.

Outgoing calls of models and tools all go through httpx. Its transport is wrapped here, as OpenTelemetry's own
instrumentation does; that one also records whole URLs, which can hold what a user asked.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from importlib import import_module
from typing import Any

from opentelemetry import context, trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

_w3c = TraceContextTextMapPropagator()
_is_on = False
_Send = Callable[[Any, Any], Any]


def start() -> None:
    """Take part in traces from now on: incoming and outgoing requests, and log lines."""
    global _is_on
    if not _is_on:
        _is_on = True
        _wrap_outgoing()
        for handler in logging.getLogger().handlers:
            handler.addFilter(_with_trace)


def _wrap_outgoing() -> None:
    for name in ("httpx2", "httpx"):  # the OpenAI SDK uses the first, MCP and others the second
        try:
            transport = import_module(name).AsyncHTTPTransport
        except ImportError:
            continue
        transport.handle_async_request = _with_traceparent(transport.handle_async_request)


def _with_traceparent(send: _Send) -> _Send:
    @functools.wraps(send)
    async def handle_async_request(transport: Any, request: Any) -> Any:
        if "traceparent" not in request.headers:
            _w3c.inject(request.headers)
        return await send(transport, request)

    return handle_async_request


def _with_trace(record: logging.LogRecord) -> bool:
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        record.trace_id, record.span_id = f"{span.trace_id:032x}", f"{span.span_id:016x}"
    return True


class TraceContext:
    """ASGI middleware: a request's `traceparent` is the parent of the run that it starts."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, within the caller's trace."""
        if not _is_on or scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers: dict[str, Any] = dict(Headers(scope=scope))
        token = context.attach(_w3c.extract(headers))
        try:
            await self._app(scope, receive, send)
        finally:
            context.detach(token)
