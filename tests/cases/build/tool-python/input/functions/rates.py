"""Prices."""

from typing import Literal


def hourly(tier: Literal["small", "large"]) -> float:
    """What a node costs in an hour."""
    return {"small": 0.5, "large": 2.0}[tier]
