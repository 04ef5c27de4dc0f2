"""The alertmanager operations (API v2, github.com/prometheus/alertmanager, api/v2/openapi.yaml)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from kagent_runtime.components.cluster import CONNECTION
from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.components.texts import limited, one_line, table
from kagent_runtime.model.alertmanager_tools import AlertmanagerTool

_MATCHER = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*(?:,|\Z)')
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_ROWS = 200
Arguments = Mapping[str, Any]


class Ask(Protocol):
    """A request: method, path below /api/v2, query, body. Returns the answer's JSON, None for none."""

    def __call__(self, method: str, path: str, query: list[tuple[str, str]], body: Any = None) -> Awaitable[Any]: ...


async def run(tool: AlertmanagerTool, arguments: Arguments, ask: Ask) -> str:
    """Carry out an operation. Raises ToolFailureError."""
    return await _OPERATIONS[tool.operation](tool, arguments, ask)


async def preview(tool: AlertmanagerTool, arguments: Arguments, ask: Ask) -> str:
    """What a change would do. Raises ToolFailureError for one that would fail."""
    return await CHANGES[tool.operation](tool, arguments, ask)


def matchers(text: str) -> list[dict[str, Any]]:
    """Label matchers as Alertmanager's API takes them. Raises ToolFailureError."""
    found, position = [], 0
    while position < len(text):
        match = _MATCHER.match(text, position)
        if match is None:
            example = 'alertname="DiskFull", instance=~"db.*"'
            raise ToolFailureError(
                f"`match` is not understood from `{text[position : position + 40]}` on; as {example}"
            )
        name, operator, value = match.groups()
        value = re.sub(r"\\(.)", r"\1", value)
        found.append({"name": name, "value": value, "isRegex": "~" in operator, "isEqual": operator[0] == "="})
        position = match.end()
    return found


def _filter(arguments: Arguments) -> list[tuple[str, str]]:
    return [("filter", _shown(item)) for item in matchers(arguments.get("match") or "")]


def _shown(item: Mapping[str, Any]) -> str:
    operator = ("=" if item.get("isEqual", True) else "!") + (
        "~" if item["isRegex"] else "" if item["isEqual"] else "="
    )
    value = str(item["value"]).replace("\\", "\\\\").replace('"', '\\"')
    return f'{item["name"]}{operator}"{value}"'


async def _alerts(tool: AlertmanagerTool, arguments: Arguments, ask: Ask) -> str:
    found = await ask("GET", "alerts", _filter(arguments))
    wanted = arguments.get("state")
    alerts = [item for item in found if wanted in (None, item["status"]["state"])]
    if not alerts:
        return "There are no such alerts."
    rows = [_alert(item) for item in sorted(alerts, key=lambda item: (str(item["startsAt"]), str(item["labels"])))]
    return "\n".join(limited(table([["STATE", "SINCE", "LABELS", "SUMMARY"], *rows]).splitlines(), _ROWS, "alerts"))


def _alert(item: Mapping[str, Any]) -> list[str]:
    status, notes = item["status"], item.get("annotations") or {}
    silenced = ", ".join(status.get("silencedBy") or ())
    state = str(status["state"]) + (f" by silence {silenced}" if silenced else "")
    summary = one_line(str(notes.get("summary") or notes.get("description") or "-"), 200)
    labels = ", ".join(f'{name}="{value}"' for name, value in sorted(item["labels"].items()))
    return [state, _time(item["startsAt"]), labels, summary]


async def _silences(tool: AlertmanagerTool, arguments: Arguments, ask: Ask) -> str:
    found = await ask("GET", "silences", _filter(arguments))
    wanted = (arguments["state"],) if arguments.get("state") else ("active", "pending")
    silences = [item for item in found if item["status"]["state"] in wanted]
    if not silences:
        return "There are no such silences."
    rows = [_silence_row(item) for item in sorted(silences, key=lambda item: (str(item["endsAt"]), str(item["id"])))]
    head = ["ID", "STATE", "UNTIL", "MATCHES", "BY", "COMMENT"]
    return "\n".join(limited(table([head, *rows]).splitlines(), _ROWS, "silences"))


def _silence_row(item: Mapping[str, Any]) -> list[str]:
    matched = ", ".join(_shown(one) for one in item["matchers"])
    comment = one_line(str(item.get("comment") or "-"), 200)
    return [item["id"], item["status"]["state"], _time(item["endsAt"]), matched, str(item.get("createdBy")), comment]


async def _silence_plan(tool: AlertmanagerTool, arguments: Arguments, ask: Ask) -> str:
    wanted = _wanted(tool, arguments)
    alerts = await ask("GET", "alerts", _filter(arguments))
    head = f"silence for {arguments['minutes']} minutes what matches {', '.join(map(_shown, wanted))}"
    names = sorted(", ".join(f'{name}="{value}"' for name, value in sorted(item["labels"].items())) for item in alerts)
    what = [f"alerts that match now: {len(names)}", *limited((f"  {name}" for name in names), 20, "alerts")]
    return "\n".join([head, f"because: {one_line(str(arguments['comment']), 500)}", *what])


def _wanted(tool: AlertmanagerTool, arguments: Arguments) -> list[dict[str, Any]]:
    wanted, minutes = matchers(str(arguments["match"])), arguments["minutes"]
    if not 1 <= minutes <= tool.max_minutes:
        raise ToolFailureError(f"`minutes` must be from 1 to {tool.max_minutes}")
    if not any(item["isEqual"] and item["value"] and not _matches_nothing(item) for item in wanted):
        raise ToolFailureError("`match` needs a label that must have a value: else every alert would be silenced")
    return wanted


def _matches_nothing(item: Mapping[str, Any]) -> bool:
    """Whether an alert without the label matches too."""
    if not item["isRegex"]:
        return False
    try:
        return re.fullmatch(str(item["value"]), "") is not None
    except re.error:
        return False  # Alertmanager says what is wrong with it


async def _silence(tool: AlertmanagerTool, arguments: Arguments, ask: Ask) -> str:
    wanted, now = _wanted(tool, arguments), datetime.now(UTC)
    until = now + timedelta(minutes=arguments["minutes"])
    body = {
        "matchers": wanted,
        "startsAt": now.isoformat(),
        "endsAt": until.isoformat(),
        "createdBy": CONNECTION.field_manager,
        "comment": str(arguments["comment"]),
    }
    made = await ask("POST", "silences", [], body)
    if not isinstance(made, dict) or "silenceID" not in made:
        raise ToolFailureError("the server does not say which silence it made; see the list of silences")
    return f"silence {made['silenceID']} until {_time(until.isoformat())}"


async def _expire_plan(tool: AlertmanagerTool, arguments: Arguments, ask: Ask) -> str:
    found = await ask("GET", f"silence/{_id(arguments)}", [])
    if found["status"]["state"] == "expired":
        raise ToolFailureError(f"the silence {found['id']} has ended already")
    return "end this silence\n" + table([["ID", "STATE", "UNTIL", "MATCHES", "BY", "COMMENT"], _silence_row(found)])


async def _expire(tool: AlertmanagerTool, arguments: Arguments, ask: Ask) -> str:
    await ask("DELETE", f"silence/{_id(arguments)}", [])
    return f"silence {_id(arguments)} has ended; its alerts are sent again"


def _id(arguments: Arguments) -> str:
    text = str(arguments["id"])
    if not _ID.match(text):
        raise ToolFailureError(f"`{text[:60]}` is not the id of a silence")
    return text


def _time(value: Any) -> str:
    return f"{str(value)[:19]}Z"


_OPERATIONS: dict[str, Callable[[AlertmanagerTool, Arguments, Ask], Awaitable[str]]] = {
    "alerts": _alerts,
    "silences": _silences,
    "silence": _silence,
    "expire_silence": _expire,
}
CHANGES: dict[str, Callable[[AlertmanagerTool, Arguments, Ask], Awaitable[str]]] = {
    "silence": _silence_plan,
    "expire_silence": _expire_plan,
}
