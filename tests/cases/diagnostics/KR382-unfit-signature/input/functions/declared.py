from typing import Literal


def forecast(cluster: str, days: int = 30, size: Literal["s", "m"] = "s") -> str:
    """Text."""
