"""Functions that tests offer to agents."""

import asyncio
import time


def forecast(cluster: str, days: int = 30) -> dict[str, object]:
    """A number that depends on its arguments."""
    if cluster == "unknown":
        raise LookupError("there is no cluster `unknown`; there are: east, west")
    return {"cluster": cluster, "nodes": 10 + days // 10}


async def slow(seconds: float) -> str:
    """An answer that takes its time."""
    await asyncio.sleep(seconds)
    return "done"


def busy(seconds: float) -> str:
    """The same, holding a thread."""
    time.sleep(seconds)
    return "done"
