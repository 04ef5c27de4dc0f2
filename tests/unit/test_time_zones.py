"""The list of time zones is whole, and no machine's tz database is asked."""

from __future__ import annotations

import zoneinfo
from importlib import resources

from kagent_render.catalog.triggers.timezones import time_zones


def test_every_name_is_a_time_zone() -> None:
    """By the tz database of the `tzdata` package; what it adds later may be missing here, what it has not may not."""
    known = set(resources.files("tzdata").joinpath("zones").read_text(encoding="ascii").split())
    assert time_zones() <= known
    assert len(time_zones()) > 590
    assert {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Kolkata"} <= time_zones()


def test_the_names_can_be_loaded() -> None:
    """As KEDA does, with Go's copy of the same database."""
    for name in sorted(time_zones())[::50]:
        assert zoneinfo.ZoneInfo(name).key == name
