"""Spans of a run, its model calls and its tool calls. Without tracing every function here costs one comparison."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, Status, StatusCode, Tracer

from kagent_runtime.telemetry import conventions

CONVERSATION: ContextVar[str | None] = ContextVar("CONVERSATION", default=None)
_ROOT_AGENT: ContextVar[str | None] = ContextVar("ROOT_AGENT", default=None)
_tracer: Tracer | None = None


def use(tracer: Tracer | None) -> None:
    """Record spans with this tracer from now on; None: record nothing."""
    global _tracer
    _tracer = tracer


def start(name: str, kind: SpanKind, attributes: Mapping[str, Any]) -> Span:
    """A span that the caller ends; one that records nothing without tracing."""
    return _tracer.start_span(name, kind=kind, attributes=attributes) if _tracer else INVALID_SPAN


def current(span: Span) -> AbstractContextManager[object]:
    """Make a span the parent of what happens meanwhile. It neither ends the span nor records an exception's text."""
    if span is INVALID_SPAN:
        return nullcontext()
    return trace.use_span(span, end_on_exit=False, record_exception=False, set_status_on_exception=False)


def fail(span: Span, error_type: str) -> None:
    """Mark a span as failed. Only the type is told: a message may quote a prompt."""
    span.set_status(Status(StatusCode.ERROR))
    span.set_attribute(conventions.ERROR_TYPE, error_type)


@contextmanager
def run_of(workload: str, root_agent: str | None) -> Iterator[Span]:
    """The span of a run. `root_agent` is the agent that is the whole workload: its own span would say the same."""
    attributes = {conventions.OPERATION: conventions.INVOKE_AGENT, conventions.AGENT_NAME: workload}
    if (conversation := CONVERSATION.get()) is not None:
        attributes[conventions.CONVERSATION_ID] = conversation
    span = start(f"{conventions.INVOKE_AGENT} {workload}", SpanKind.INTERNAL, attributes)
    _ROOT_AGENT.set(root_agent)
    try:
        with current(span):
            yield span
    finally:
        span.end()


class AgentTracer(trace.NoOpTracer):
    """What AutoGen traces with: only a team's members become spans, and nothing AutoGen says of them but the name.

    AutoGen records the text of exceptions, a random id per run, and a span for every agent it builds.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    @contextmanager
    def start_as_current_span(self, name: str, *_: Any, attributes: Any = None, **__: Any) -> Iterator[Span]:  # type: ignore[override]
        """A span that records nothing, for AutoGen to write to; the real one is current meanwhile."""
        told = attributes or {}
        agent = told.get(conventions.AGENT_NAME)
        if told.get(conventions.OPERATION) != conventions.INVOKE_AGENT or agent in (None, _ROOT_AGENT.get()):
            yield INVALID_SPAN
            return
        shown = self._names.get(agent, agent)
        about = {conventions.OPERATION: conventions.INVOKE_AGENT, conventions.AGENT_NAME: shown}
        span = start(f"{conventions.INVOKE_AGENT} {shown}", SpanKind.INTERNAL, about)
        try:
            with current(span):
                yield INVALID_SPAN
        except BaseException as error:
            fail(span, type(error).__name__)
            raise
        finally:
            span.end()


class LibraryTracers(trace.TracerProvider):
    """The global provider, for libraries: AutoGen's agents, and nothing of anyone else, who may record content."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._agents = AgentTracer(names)

    def get_tracer(self, instrumenting_module_name: str, *_: Any, **__: Any) -> Tracer:
        """AutoGen's tracer, or one that records nothing."""
        return self._agents if instrumenting_module_name == "autogen-core" else trace.NoOpTracer()
