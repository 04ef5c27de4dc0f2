"""Answers of Prometheus in few words: one line a series, with notes of what is left out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from kagent_runtime.components.texts import limited, one_line, stamp, table

JSON = dict[str, Any]
MAX_SERIES = 100
MAX_RANGES = 20
MAX_NAMES = 500
MAX_ROWS = 100


def instant(data: JSON) -> str:
    """The result of an instant query."""
    kind, result = data.get("resultType"), data.get("result")
    if kind in ("scalar", "string") and isinstance(result, list):
        return f"{result[1]} at {stamp(float(result[0]))}"
    if not isinstance(result, list) or not result:
        return "The result is empty: no series matches."
    if kind == "matrix":
        return ranges(data, None)
    at = stamp(float(_value(result[0])[0]))
    lines = [f"{series(item.get('metric') or {})} => {_shown(item)}" for item in result]
    return "\n".join([f"{len(result)} series at {at}", *limited(lines, MAX_SERIES, "series")])


def _value(item: JSON) -> list[Any]:
    return list(item.get("value") or item.get("histogram") or [0, ""])


def _shown(item: JSON) -> str:
    value = _value(item)[1]
    if isinstance(value, dict):  # a native histogram
        return f"count {value.get('count')}, sum {value.get('sum')}"
    return str(value)


def series(labels: Mapping[str, str]) -> str:
    """A series as PromQL writes it."""
    name = labels.get("__name__", "")
    pairs = ", ".join(f'{key}="{_quoted(value)}"' for key, value in sorted(labels.items()) if key != "__name__")
    return f"{name}{{{pairs}}}" if pairs or not name else name


def _quoted(value: str) -> str:
    return one_line(value.replace("\\", "\\\\").replace('"', '\\"'), 200)


def ranges(data: JSON, grid: tuple[float, float, float] | None) -> str:
    """The result of a range query: values in the order of time, `-` where a series has none."""
    result = data.get("result")
    if not isinstance(result, list) or not result:
        return "The result is empty: no series matches in this range."
    first = ""
    if grid:
        start, end, step = grid
        first = f", {stamp(start)} to {stamp(end)}, one value every {step:g} s, oldest first, - where there is none"
    lines = [f"{series(item.get('metric') or {})}\n  {_range(item, grid)}" for item in result]
    return "\n".join([f"{len(result)} series{first}", *limited(lines, MAX_RANGES, "series")])


def _range(item: JSON, grid: tuple[float, float, float] | None) -> str:
    points = [(float(at), str(value)) for at, value in item.get("values") or ()]
    if not points:
        return f"{len(item.get('histograms') or ())} native histograms, not shown"
    numbers = [number for _, value in points if math.isfinite(number := _number(value))]
    summary = f"min {min(numbers):.6g}, max {max(numbers):.6g}, last {points[-1][1]}" if numbers else "no numbers"
    if grid is None:
        return f"{summary}: " + " ".join(f"{_brief(value)}@{stamp(at)}" for at, value in points[-60:])
    start, end, step = grid
    by_place = {round((at - start) / step): value for at, value in points}
    values = [_brief(by_place[place]) if place in by_place else "-" for place in range(int((end - start) / step) + 1)]
    return f"{summary}: {' '.join(values)}"


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return math.nan


def _brief(value: str) -> str:
    number = _number(value)
    return f"{number:.6g}" if math.isfinite(number) else value


def names(data: Any, what: str) -> str:
    """Names or values, one a line."""
    found = [str(item) for item in data] if isinstance(data, list) else []
    return "\n".join(limited(found, MAX_NAMES, what)) or f"There are no {what}."


def found_series(data: Any) -> str:
    """Series, one a line."""
    found = [series(item) for item in data] if isinstance(data, list) else []
    return "\n".join([f"{len(found)} series", *limited(found, MAX_SERIES, "series")]) if found else "No series matches."


def targets(data: JSON, job: str | None) -> str:
    """Scrape targets as a table, those that are down first."""
    active = [item for item in data.get("activeTargets") or () if job in (None, item.get("scrapePool"), _job(item))]
    dropped = data.get("droppedTargets") or []
    rows = [_target(item) for item in sorted(active, key=lambda item: (item.get("health") == "up", _job(item)))]
    parts = [_rows(["HEALTH", "JOB", "URL", "LAST SCRAPE", "ERROR"], rows, "targets")] if rows else []
    parts += [f"{len(dropped)} dropped targets"] if dropped else []
    return "\n".join(parts) or "There are no such targets."


def _job(item: JSON) -> str:
    return str((item.get("labels") or {}).get("job", ""))


def _target(item: JSON) -> list[str]:
    error = one_line(item.get("lastError") or "", 200)
    return [item.get("health", ""), _job(item), item.get("scrapeUrl", ""), item.get("lastScrape", "")[:19], error]


def _rows(header: list[str], rows: Sequence[list[str]], what: str) -> str:
    lines = table([header, *rows]).split("\n")
    return "\n".join([lines[0], *limited(lines[1:], MAX_ROWS, what)])


def rules(data: JSON, name: str | None) -> str:
    """Rules with their group, state and expression; those that do not evaluate say why."""
    lines: list[str] = []
    for group in data.get("groups") or ():
        for rule in group.get("rules") or ():
            if name in (None, rule.get("name")):
                lines.append(_rule(rule, str(group.get("name", ""))))
    return "\n".join(limited(lines, MAX_ROWS, "rules")) or "There are no such rules."


def _rule(rule: JSON, group: str) -> str:
    state = f" {rule['state']}" if rule.get("state") else ""
    held = f" for {rule['duration']:g}s" if rule.get("duration") else ""
    head = (
        f"{rule.get('type', 'rule')} {rule.get('name')} (group {group}){state}: {one_line(rule.get('query', ''))}{held}"
    )
    health = f"\n  {rule.get('health')}: {one_line(rule.get('lastError') or '')}" if rule.get("lastError") else ""
    return head + health + "".join(f"\n  {_alert(alert)}" for alert in (rule.get("alerts") or ())[:10])


def alerts(data: JSON, state: str | None) -> str:
    """Alerts, one a line with its labels and what it says."""
    found = [item for item in data.get("alerts") or () if state in (None, item.get("state"))]
    lines = [_alert(item) for item in sorted(found, key=lambda item: str(item.get("activeAt")))]
    return "\n".join(limited(lines, MAX_ROWS, "alerts")) or f"No alert is {state or 'pending or firing'}."


def _alert(alert: JSON) -> str:
    labels = dict(alert.get("labels") or {})
    name = labels.pop("alertname", "alert")
    annotations = alert.get("annotations") or {}
    said = one_line(annotations.get("summary") or annotations.get("description") or annotations.get("message") or "")
    since = str(alert.get("activeAt", ""))[:19]
    text = f"{alert.get('state')} {name}{series(labels)} since {since}, value {alert.get('value')}"
    return f"{text}: {said}" if said else text
