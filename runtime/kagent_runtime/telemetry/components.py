"""Observes the components that AutoGen loads: whatever class in our registry calls a model or offers tools.

Put around the methods of a class when it is first loaded, so that no component has to remember it.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, Callable
from typing import Any

from autogen_core.models import ChatCompletionClient, CreateResult
from autogen_core.tools import Workbench

from kagent_runtime.prices import usage_of
from kagent_runtime.telemetry import calls, spans

_MARK = "__kagent_observed__"
_WRAPPERS = ("Gate", "ModelGuard", "ModelJournal", "StructuredOutput")
_Method = Callable[..., Any]


def observe(loaded: type) -> None:
    """Count and trace the calls of this class; what is neither model client nor workbench is left alone."""
    if loaded.__name__ in _WRAPPERS:
        return  # what is inside is loaded, and observed, too
    if issubclass(loaded, ChatCompletionClient):
        _wrap(loaded, "create", _observed_create)
        _wrap(loaded, "create_stream", _observed_stream)
    elif issubclass(loaded, Workbench):
        _wrap(loaded, "call_tool", _observed_tool)


def _wrap(owner: type, name: str, wrapper: Callable[[_Method], _Method]) -> None:
    method = getattr(owner, name)
    # An inherited method may be observed already, where it is defined.
    if not hasattr(method, _MARK):
        observed = wrapper(method)
        setattr(observed, _MARK, True)
        setattr(owner, name, observed)


def _about(client: Any) -> tuple[str, str, str | None]:
    config = getattr(client, "_config", None)
    model = str(getattr(config, "model", type(client).__name__))
    return model, str(getattr(config, "provider", "unknown")), getattr(config, "base_url", None)


def _answered(client: Any, call: calls.ModelCall, result: CreateResult) -> None:
    used = usage_of(result.usage.prompt_tokens, result.usage.completion_tokens, getattr(client, "pricing", None))
    call.answered(used, str(result.finish_reason))


def _observed_create(method: _Method) -> _Method:
    @functools.wraps(method)
    async def create(self: Any, *arguments: Any, **options: Any) -> CreateResult:
        with calls.model_call(*_about(self)) as call, spans.current(call.span):
            result: CreateResult = await method(self, *arguments, **options)
            _answered(self, call, result)
            return result

    return create


def _observed_stream(method: _Method) -> _Method:
    @functools.wraps(method)
    async def create_stream(self: Any, *arguments: Any, **options: Any) -> AsyncGenerator[str | CreateResult, None]:
        with calls.model_call(*_about(self)) as call:
            pieces = method(self, *arguments, **options)
            try:
                while True:
                    # Current only while the model is asked: what the caller does between pieces is not part of it.
                    with spans.current(call.span):
                        piece = await anext(pieces, None)
                    if piece is None:
                        return
                    if isinstance(piece, CreateResult):
                        _answered(self, call, piece)
                    yield piece
            finally:
                await pieces.aclose()

    return create_stream


def _observed_tool(method: _Method) -> _Method:
    @functools.wraps(method)
    async def call_tool(self: Any, name: str, *arguments: Any, **options: Any) -> Any:
        call_id = options.get("call_id") or (arguments[2] if len(arguments) > 2 else None)
        with calls.tool_call(name, call_id) as call:
            result = await method(self, name, *arguments, **options)
            if result.is_error:
                call.fail("tool_error")
            return result

    return call_tool
