"""Reads what tools returned: finds the object that is not healthy and the lines that tell why."""

from __future__ import annotations

import re

MAX_LINES = 4
MAX_LINE = 220
_CELLS = re.compile(r"\s{2,}|\t+|\s*\|\s*")
_HEALTHY = {"running", "completed", "succeeded", "active", "bound", "ready"}
# Strongest first: what ended a process, why a call failed, then symptoms.
_STRENGTHS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(FATAL|PANIC|OOMKilled|ErrImagePull)\b",
        r"\b(no such host|denied|could not|timed out|not found|(ImagePull|CrashLoop)BackOff|restart ?count: *[1-9])",
        r"\b(refused|Unhealthy|FailedMount|FailedScheduling|Evicted|(?<!reason: )ERROR)\b",
        r"\b(back-?off|failed|pending|exit ?code: *[1-9])",
    )
)
_CAUSES = 3  # the first so many strengths can be a cause
_HOST = re.compile(r"\b[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)+\b")
_CONFIG_MAP = re.compile(r"(?:configmaps?[ /\"'`]+)([a-z0-9][a-z0-9-]*)", re.IGNORECASE)


def table_rows(text: str) -> list[dict[str, str]]:
    """The rows of the first kubectl-like table in the text, by upper-case column name."""
    rows: list[dict[str, str]] = []
    columns: list[str] = []
    for line in text.splitlines():
        cells = _CELLS.split(line.strip().strip("|").strip())
        if not columns:
            names = [cell.upper() for cell in cells]
            columns = names if "NAME" in names and len(names) > 1 else []
        elif len(cells) >= 2 and not set(line) <= set("|-: "):
            rows.append(dict(zip(columns, cells, strict=False)))
        elif rows:
            break
    return rows


def unhealthy(row: dict[str, str]) -> bool:
    """Whether a row shows an object that is not fully ready."""
    status = row.get("STATUS", "Running").lower()
    ready, _, wanted = row.get("READY", "").partition("/")
    return status not in _HEALTHY or (bool(wanted) and ready != wanted and status != "completed")


def suspect(texts: list[str]) -> str | None:
    """The name a person would look at next: the first unhealthy row, else the first row of any table."""
    tables = [table_rows(text) for text in texts]
    rows = [row for table in tables for row in table if row.get("NAME")]
    worst = next((row for row in rows if unhealthy(row)), None)
    chosen = worst or (rows[0] if rows else None)
    return chosen["NAME"] if chosen else None


def telling_lines(text: str, known_hosts: frozenset[str] = frozenset()) -> list[str]:
    """Up to four lines that carry a symptom or a cause, shortened, in their order; repetitions count once."""
    unique = {_shape(line): line.strip() for line in text.splitlines()}
    lines = list(unique.values())
    strengths = {line: _strength(line, known_hosts) for line in lines}
    found = [line for line in lines if strengths[line] < len(_STRENGTHS)]
    kept = sorted(found, key=lambda line: strengths[line])[:MAX_LINES]
    return [line[:MAX_LINE] for line in found if line in kept]


def _shape(line: str) -> str:
    # "attempt 1 of 3" and "attempt 2 of 3" are one fact; short numbers such as a port or a count tell facts apart.
    return re.sub(r"\d{4}-\S+|\battempt \d+", "#", line.strip(), flags=re.IGNORECASE)


def _strength(line: str, known_hosts: frozenset[str]) -> int:
    best = next((index for index, pattern in enumerate(_STRENGTHS) if pattern.search(line)), len(_STRENGTHS))
    return min(best, 1) if any(host in line for host in known_hosts) else best


def cause_line(texts: list[str]) -> str | None:
    """The one line that best names a cause; the newest of equals."""
    lines = [line.strip() for text in texts for line in text.splitlines()]
    ranked = sorted(reversed(lines), key=lambda line: _strength(line, frozenset()))
    best = ranked[0] if ranked else ""
    return best[:MAX_LINE] if best and _strength(best, frozenset()) < _CAUSES else None


def hosts(texts: list[str]) -> frozenset[str]:
    """Host names in lines that name a cause: what to look for in configuration."""
    lines = [line for text in texts for line in text.splitlines() if _strength(line, frozenset()) < 2]
    return frozenset(host for line in lines for host in _HOST.findall(line) if not host[0].isdigit())


def config_map(texts: list[str]) -> str | None:
    """The first ConfigMap the texts mention by name."""
    for text in texts:
        match = _CONFIG_MAP.search(text)
        if match:
            return match.group(1)
    return None
