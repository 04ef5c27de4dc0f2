"""Times and durations as Prometheus and its users write them."""

from __future__ import annotations

import math
import re
import time
from datetime import UTC, datetime

from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.components.texts import stamp

POINTS = 60
MAX_POINTS = 240
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_DURATION = re.compile(r"(?:\d+(?:ms|[smhdwy]))+\Z")
_PART = re.compile(r"(\d+)(ms|[smhdwy])")
_NICE_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)


def parse_time(text: str, now: float) -> float:
    """Unix seconds of a time. Raises ToolFailureError that names the forms."""
    value = text.strip()
    relative = value.removeprefix("now").strip()
    if value == "now":
        return now
    if relative[:1] in ("-", "+") and _DURATION.match(relative[1:].strip()):
        seconds = parse_duration(relative[1:].strip())
        return now - seconds if relative[0] == "-" else now + seconds
    for parse in (float, _rfc3339):
        try:
            found = parse(value)
        except (ValueError, OverflowError):
            continue
        if math.isfinite(found):
            return found
    forms = "RFC 3339 such as 2026-01-31T10:00:00Z, Unix seconds, now, or relative such as -1h"
    raise ToolFailureError(f"`{value[:60]}` is not a time; give {forms}")


def _rfc3339(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def parse_duration(text: str) -> float:
    """Seconds of `90`, `30s` or `1h30m`. Raises ToolFailureError."""
    value = text.strip()
    if _DURATION.match(value):
        return sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(value))
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0
    if not 0 < seconds < float("inf"):
        raise ToolFailureError(f"`{value[:60]}` is not a duration; give seconds, or such as 30s, 5m or 1h30m")
    return seconds


def window(start: str | None, end: str | None, now: float | None = None) -> tuple[float, float]:
    """Start and end of a range; default: the last hour. Raises ToolFailureError."""
    current = time.time() if now is None else now
    last = parse_time(end, current) if end else current
    first = parse_time(start, current) if start else last - 3600
    if first >= last:
        raise ToolFailureError(f"the range is empty: it starts at {stamp(first)} and ends at {stamp(last)}")
    return first, last


def step_for(first: float, last: float, wanted: str | None) -> float:
    """The distance of points: as asked, or so that there are about sixty. Raises ToolFailureError."""
    span = last - first
    if wanted:
        step = parse_duration(wanted)
        if span / step > MAX_POINTS:
            least = f"{math.ceil(span / MAX_POINTS)}s"
            raise ToolFailureError(
                f"`step: {wanted}` gives {span / step:,.0f} points; give {least} or more, or no step"
            )
        return step
    return next((step for step in _NICE_STEPS if step >= span / POINTS), math.ceil(span / POINTS / 86400) * 86400)
