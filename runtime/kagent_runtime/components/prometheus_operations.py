"""The prometheus operations: which endpoint of the HTTP API each asks, and with what."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol
from urllib.parse import quote

from kagent_runtime.components import prometheus_text
from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.components.prometheus_times import parse_time, step_for, window

Arguments = Mapping[str, Any]


class Ask(Protocol):
    """Asks the server: the path below /api/v1, and the parameters. Returns `data` and the notes of the answer."""

    def __call__(self, path: str, parameters: list[tuple[str, str]]) -> Awaitable[tuple[Any, list[str]]]: ...


async def run(operation: str, arguments: Arguments, ask: Ask) -> str:
    """Carry out an operation. Raises ToolFailureError."""
    return await OPERATIONS[operation](arguments, ask)


def _noted(text: str, notes: list[str]) -> str:
    return "\n".join([text, *(f"[note of the server: {note}]" for note in notes[:5])])


async def _query(arguments: Arguments, ask: Ask) -> str:
    parameters = [("query", arguments["query"])]
    if arguments.get("time"):
        parameters.append(("time", _seconds(parse_time(arguments["time"], time.time()))))
    data, notes = await ask("query", parameters)
    return _noted(prometheus_text.instant(data), notes)


async def _query_range(arguments: Arguments, ask: Ask) -> str:
    first, last = window(arguments.get("start"), arguments.get("end"))
    step = step_for(first, last, arguments.get("step"))
    first = last - step * int((last - first) / step)  # so that the last point is the end of the range
    parameters = [("query", arguments["query"]), ("start", _seconds(first)), ("end", _seconds(last))]
    data, notes = await ask("query_range", [*parameters, ("step", _seconds(step))])
    return _noted(prometheus_text.ranges(data, (first, last, step)), notes)


async def _labels(arguments: Arguments, ask: Ask) -> str:
    label = arguments.get("label")
    parameters = _scope(arguments)
    if label is None:
        data, notes = await ask("labels", parameters)
        return _noted(prometheus_text.names(data, "labels"), notes)
    if "/" in label or label in (".", ".."):
        raise ToolFailureError(f"`{label[:60]}` is not the name of a label")
    data, notes = await ask(f"label/{quote(label, safe='')}/values", parameters)
    return _noted(prometheus_text.names(data, f"values of {label}"), notes)


async def _series(arguments: Arguments, ask: Ask) -> str:
    data, notes = await ask("series", _scope(arguments))
    return _noted(prometheus_text.found_series(data), notes)


async def _targets(arguments: Arguments, ask: Ask) -> str:
    data, notes = await ask("targets", [("state", arguments.get("state") or "active")])
    return _noted(prometheus_text.targets(data, arguments.get("job")), notes)


async def _rules(arguments: Arguments, ask: Ask) -> str:
    data, notes = await ask("rules", [("type", arguments["type"])] if arguments.get("type") else [])
    return _noted(prometheus_text.rules(data, arguments.get("name")), notes)


async def _alerts(arguments: Arguments, ask: Ask) -> str:
    data, notes = await ask("alerts", [])
    return _noted(prometheus_text.alerts(data, arguments.get("state")), notes)


def _scope(arguments: Arguments) -> list[tuple[str, str]]:
    first, last = window(arguments.get("start"), arguments.get("end"))
    selected = [("match[]", arguments["match"])] if arguments.get("match") else []
    return [*selected, ("start", _seconds(first)), ("end", _seconds(last))]


def _seconds(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


OPERATIONS: dict[str, Callable[[Arguments, Ask], Awaitable[str]]] = {
    "query": _query,
    "query_range": _query_range,
    "labels": _labels,
    "series": _series,
    "targets": _targets,
    "rules": _rules,
    "alerts": _alerts,
}
