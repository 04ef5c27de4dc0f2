"""How many agents have asked each other for the present run, so that a circle of questions ends."""

from contextvars import ContextVar

HEADER = "X-Kagent-Depth"
LIMIT = 5
DEPTH: ContextVar[int] = ContextVar("depth", default=0)


def read(value: str | None) -> int:
    """The depth that a caller tells; one that is not a number is as deep as it gets."""
    if value is None:
        return 0
    return int(value) if value.isdigit() and len(value) < 4 else LIMIT
