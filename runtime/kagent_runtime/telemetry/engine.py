"""Any engine, observed: runs, their outcome and duration, the first token, messages by agent, the run's span."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.trace import Span

from kagent_runtime.engine import (
    Cancelled,
    Delta,
    Engine,
    EngineEvent,
    Finished,
    Message,
    SavedState,
    Stop,
    Usage,
)
from kagent_runtime.model import RuntimeConfig
from kagent_runtime.telemetry import conventions, metrics, spans


class ObservedEngine:
    """Does what the engine does, and counts it."""

    def __init__(self, engine: Engine, config: RuntimeConfig) -> None:
        self._engine, self._workload = engine, config.metadata.name
        self.state_version, self.config_version = engine.state_version, engine.config_version
        self._names = {agent.id: agent.name for agent in config.agents}
        self._root = config.agents[0].id if config.metadata.kind == "Agent" else None

    async def start(self) -> None:
        """Start the engine."""
        await self._engine.start()

    async def run(self, task: str, state: SavedState | None, stop: Stop) -> AsyncIterator[EngineEvent]:
        """One turn, counted when it ends."""
        with spans.run_of(self._workload, self._root) as span, _counted(span) as run:
            async for event in self._engine.run(task, state, stop):
                run.see(event, self._names)
                yield event


class _Run:
    def __init__(self) -> None:
        self.started = time.monotonic()
        self.outcome = "failed"
        self.usage: Usage | None = None
        self._has_text = False

    def see(self, event: EngineEvent, names: Mapping[str, str]) -> None:
        if isinstance(event, (Delta, Message)) and not self._has_text:
            self._has_text = True
            metrics.FIRST_TOKEN_SECONDS.observe(time.monotonic() - self.started)
        if isinstance(event, Message):
            metrics.MESSAGES.labels(names.get(event.agent, metrics.OTHER)).inc()
        elif isinstance(event, Finished):
            self.outcome, self.usage = "completed", event.usage


@contextmanager
def _counted(span: Span) -> Iterator[_Run]:
    run = _Run()
    metrics.RUNS_IN_FLIGHT.inc()
    try:
        yield run
    except (Cancelled, asyncio.CancelledError, GeneratorExit) as error:
        if run.outcome != "completed":
            run.outcome, run.usage = "cancelled", getattr(error, "usage", None)
        raise
    except Exception as error:
        run.outcome, run.usage = "failed", getattr(error, "usage", None)
        spans.fail(span, type(error).__name__)
        raise
    finally:
        metrics.RUNS_IN_FLIGHT.dec()
        metrics.RUNS.labels(run.outcome).inc()
        metrics.RUN_SECONDS.observe(time.monotonic() - run.started)
        _describe(span, run)


def _describe(span: Span, run: _Run) -> None:
    span.set_attribute("kagent.run.outcome", run.outcome)
    if run.usage is not None:
        span.set_attribute(conventions.INPUT_TOKENS, run.usage.prompt)
        span.set_attribute(conventions.OUTPUT_TOKENS, run.usage.completion)
