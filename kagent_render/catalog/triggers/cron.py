"""cron: a number of replicas inside a time window."""

import re
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from kagent_render.catalog.triggers.base import Trigger, TriggerScope
from kagent_render.catalog.triggers.timezones import time_zones
from kagent_render.diagnostics import nearest

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# As KEDA's parser (robfig/cron, ParseStandard): Sunday is 0 only.
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of month", 1, 31, {}),
    ("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    ("day of week", 0, 6, {name: number for number, name in enumerate(_DAYS)}),
)
_ITEM = re.compile(r"(?:[*?]|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d+))?\Z")


def _schedule(value: str) -> str:
    parts = value.split()
    if len(parts) != len(_FIELDS):
        raise _refuse("five fields: minute, hour, day of month, month, day of week")
    for part, (label, low, high, names) in zip(parts, _FIELDS, strict=True):
        if not all(_is_item(item.lower(), low, high, names) for item in part.split(",")):
            raise _refuse(f"{label} in {low} to {high}, not {part}")
    return value


def _is_item(item: str, low: int, high: int, names: dict[str, int]) -> bool:
    match = _ITEM.match(item)
    if not match or (match["step"] and int(match["step"]) == 0):
        return False
    if match["first"] is None:
        return True
    bounds = [_number(text, names) for text in (match["first"], match["last"] or match["first"])]
    return low <= bounds[0] <= bounds[1] <= high


def _number(text: str, names: dict[str, int]) -> int:
    return int(text) if text.isascii() and text.isdigit() else names.get(text, -1)


def _time_zone(value: str) -> str:
    known = time_zones()
    if value not in known:
        match = nearest(value, known)
        raise _refuse(f"an IANA time zone such as {match or 'Europe/Berlin'}")
    return value


def _refuse(rule: str) -> PydanticCustomError:
    return PydanticCustomError("value", "{rule}", {"rule": rule})


Schedule = Annotated[str, AfterValidator(_schedule)]


class CronTrigger(Trigger):
    """Keep a number of replicas in a time window. With minReplicas 0 and nothing else there is no pod outside it."""

    keda_type: ClassVar[str] = "cron"

    type: Literal["cron"]
    timezone: Annotated[str, AfterValidator(_time_zone)] = Field(description="IANA name, such as Europe/Berlin.")
    start: Schedule = Field(description="When the window begins: a cron expression of five fields.")
    end: Schedule = Field(description="When the window ends.")
    desired_replicas: int = Field(ge=1, description="Replicas in the window.")

    def metadata(self, scope: TriggerScope) -> dict[str, str]:
        """The window and the number of replicas."""
        window = {"timezone": self.timezone, "start": self.start, "end": self.end}
        return window | {"desiredReplicas": str(self.desired_replicas)}
