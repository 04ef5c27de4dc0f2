"""The A2A SDK as our server and our client both want it: without a word of its own, and data as it was sent."""

from __future__ import annotations

import logging
import os
from typing import Any


def quiet() -> None:
    """To be called before anything of the SDK is imported."""
    # A span for every method of the SDK says nothing that ours do not.
    os.environ.setdefault("OTEL_INSTRUMENTATION_A2A_SDK_ENABLED", "false")
    # It logs what is sent and answered, and a traceback for each that is not valid.
    logging.getLogger("a2a").setLevel(logging.CRITICAL + 1)


def as_sent(data: Any) -> Any:
    """Data of a part, as protobuf gives it: for it every number is a float, and an object has no order."""
    if isinstance(data, dict):
        return {key: as_sent(data[key]) for key in sorted(data)}
    if isinstance(data, list):
        return [as_sent(item) for item in data]
    return int(data) if isinstance(data, float) and data.is_integer() else data
