"""Cron expressions as KEDA's parser reads them, and numbers and durations as Go writes them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from kagent_render.catalog.triggers.base import TriggerScope, go_duration, number
from kagent_render.catalog.triggers.cron import CronTrigger

SCOPE = TriggerScope("a", "keda")


def _cron(start: str) -> CronTrigger:
    data: dict[str, Any] = {"type": "cron", "timezone": "UTC", "start": start, "end": "59 23 * * *"}
    return CronTrigger.model_validate(data | {"desiredReplicas": 2})


@pytest.mark.parametrize(
    "schedule",
    ["0 8 * * 1-5", "*/15 0-6,22 1 JAN-mar SUN", "5/10 * ? * MON,WED,6", "0 0 31 12 0", "  0   8 * * *"],
)
def test_a_schedule_of_robfig_cron_is_accepted(schedule: str) -> None:
    """Names, lists, ranges, steps and `?`; the text goes to KEDA unchanged."""
    assert _cron(schedule).metadata(SCOPE)["start"] == schedule


@pytest.mark.parametrize(
    "schedule",
    [
        *("@daily", "0 8 * * 7", "60 8 * * *", "0 8 0 * *", "0 8 * 13 *", "0 8 * * 5-1", "0 8 * * FOO"),
        *("*/0 * * * *", "0 8 * * *  *", "0 8-", "0 8 * * -1", "0 8 * * 1,", "٣ 8 * * *", "0 8 * * 1-2-3"),
    ],
)
def test_what_its_parser_refuses_is_refused(schedule: str) -> None:
    """Sunday is 0 and never 7; there are five fields and no descriptors."""
    with pytest.raises(ValidationError):
        _cron(schedule)


def test_every_value_of_the_metadata_is_a_string() -> None:
    """KEDA's metadata is a map of strings; the API server refuses anything else."""
    assert all(isinstance(value, str) for value in _cron("0 8 * * *").metadata(SCOPE).values())


@pytest.mark.parametrize(("value", "text"), [(5, "5"), (0.5, "0.5"), (1_000_000.0, "1000000"), (1e-05, "1e-05")])
def test_a_number_is_whole_where_it_can_be(value: float, text: str) -> None:
    """Not 1e+06."""
    assert number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (30, "30s"), (60, "1m0s"), (90, "1m30s"), (3600, "1h0m0s"), (3661, "1h1m1s")]
)
def test_a_duration_is_canonical(seconds: int, text: str) -> None:
    """As Go writes it, so that a controller changes nothing."""
    assert go_duration(seconds) == text
