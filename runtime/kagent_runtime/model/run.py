"""What bounds a run, and what it waits for a person for."""

from typing import Annotated

from pydantic import Field

from kagent_runtime.model.strict import Strict


class RunLimits(Strict):
    """Bounds of one run; those not given do not hold."""

    totalTokens: Annotated[int, Field(ge=1)] | None = None
    seconds: Annotated[float, Field(gt=0)] | None = None
    toolCalls: Annotated[int, Field(ge=1)] | None = None
    turns: Annotated[int, Field(ge=1)] | None = None
    cost: Annotated[float, Field(gt=0)] | None = None


class Approvals(Strict):
    """How a person approves a call: one that nobody decides on in this time is denied."""

    expirySeconds: float = Field(gt=0)
