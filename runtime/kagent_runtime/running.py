"""What the components of a run may know of it: whether somebody asked it to stop after the current turn."""

from __future__ import annotations

from contextvars import ContextVar

from kagent_runtime.engine import Stop

STOP: ContextVar[Stop | None] = ContextVar("STOP", default=None)
"""The stop of the run that goes on. A context variable reaches the conditions, in whatever task they are asked."""


def is_asked_to_finish() -> bool:
    """Whether the run is to end after its current turn."""
    stop = STOP.get()
    return stop is not None and stop.is_finish_requested
