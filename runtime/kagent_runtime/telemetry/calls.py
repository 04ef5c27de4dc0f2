"""One call of a model or of a tool: its span, its duration and its outcome."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.trace import Span, SpanKind

from kagent_runtime.engine import Usage
from kagent_runtime.telemetry import conventions, metrics, spans

_model_label, _tool_label = metrics.LabelValues(), metrics.LabelValues()


class Call:
    """A call that goes on."""

    def __init__(self, span: Span) -> None:
        self.span = span
        self.started = time.monotonic()
        self.outcome = "ok"

    def fail(self, error_type: str) -> None:
        """The call ended with an error."""
        self.outcome = "error"
        spans.fail(self.span, error_type)

    @contextmanager
    def lasting(self) -> Iterator[None]:
        """Take the outcome from how the block ends, and end the span."""
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit):
            if self.outcome == "ok":
                self.outcome = "cancelled"
            raise
        except Exception as error:
            self.fail(type(error).__name__)
            raise
        finally:
            self.span.end()


class ModelCall(Call):
    """A call of a model; its answer has a usage."""

    def __init__(self, model: str, span: Span) -> None:
        super().__init__(span)
        self._model = model
        self._is_answered = False

    def answered(self, usage: Usage, finish_reason: str) -> None:
        """Count what it cost."""
        self._is_answered = True
        metrics.TOKENS.labels(self._model, "input").inc(usage.prompt)
        metrics.TOKENS.labels(self._model, "output").inc(usage.completion)
        if usage.cost is not None:
            metrics.COST.labels(self._model, usage.currency).inc(float(usage.cost))
        self.span.set_attribute(conventions.INPUT_TOKENS, usage.prompt)
        self.span.set_attribute(conventions.OUTPUT_TOKENS, usage.completion)
        self.span.set_attribute(conventions.FINISH_REASONS, (finish_reason,))

    def count(self) -> None:
        """Count the call; a stream closed after its answer, as callers do, is no cancel."""
        outcome = "ok" if self._is_answered and self.outcome == "cancelled" else self.outcome
        metrics.MODEL_CALLS.labels(self._model, outcome).inc()
        metrics.MODEL_SECONDS.labels(self._model).observe(time.monotonic() - self.started)


@contextmanager
def model_call(model: str, provider: str, base_url: str | None) -> Iterator[ModelCall]:
    """A call of a model. Not made current: a stream would leave it so between its pieces."""
    attributes: dict[str, Any] = {
        conventions.OPERATION: conventions.CHAT,
        conventions.PROVIDER: conventions.provider_name(provider),
        conventions.REQUEST_MODEL: model,
    } | _server(base_url)
    call = ModelCall(_model_label(model), spans.start(f"{conventions.CHAT} {model}", SpanKind.CLIENT, attributes))
    try:
        with call.lasting():
            yield call
    finally:
        call.count()


def _server(base_url: str | None) -> dict[str, Any]:
    parts = urlsplit(base_url or "")
    if not parts.hostname:
        return {}
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return {conventions.SERVER_ADDRESS: parts.hostname, conventions.SERVER_PORT: port}


@contextmanager
def tool_call(name: str, call_id: str | None) -> Iterator[Call]:
    """A call of a tool: the parent of what the tool does."""
    attributes = {
        conventions.OPERATION: conventions.EXECUTE_TOOL,
        conventions.TOOL_NAME: name,
        conventions.TOOL_TYPE: "function",
    }
    if call_id:
        attributes[conventions.TOOL_CALL_ID] = call_id
    call = Call(spans.start(f"{conventions.EXECUTE_TOOL} {name}", SpanKind.INTERNAL, attributes))
    tool = _tool_label(name)
    try:
        with call.lasting(), spans.current(call.span):
            yield call
    finally:
        metrics.TOOL_CALLS.labels(tool, call.outcome).inc()
        metrics.TOOL_SECONDS.labels(tool).observe(time.monotonic() - call.started)
