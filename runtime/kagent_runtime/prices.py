"""What tokens cost, by the prices that a model's spec gives. Decimals: sums of money are exact."""

from __future__ import annotations

from decimal import Decimal

from kagent_runtime.engine import Usage
from kagent_runtime.model.model_client import Pricing

_MILLION = 1_000_000


def usage_of(prompt: int, completion: int, pricing: Pricing | None) -> Usage:
    """The usage of a call, with its cost where prices are known."""
    if pricing is None:
        return Usage(prompt, completion)
    paid = prompt * decimal(pricing.input_per_million_tokens) + completion * decimal(pricing.output_per_million_tokens)
    return Usage(prompt, completion, paid / _MILLION, pricing.currency)


def decimal(value: float) -> Decimal:
    """As it was written: 0.1 is 0.1."""
    return Decimal(str(value))
