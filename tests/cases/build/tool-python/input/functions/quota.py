"""What teams may use. The text ${QUOTA} is no variable of Flux."""

from typing import Annotated, Literal

import rates

LIMITS = {"shop": 40, "search": 25}
DEFAULT_REGION = "eu"
Tier = Literal["small", "large"]


def remaining(
    team: str,
    tier: Annotated[Tier, "Kind of node"] = "small",
    used: int = 0,
    *,
    region: str = DEFAULT_REGION,
    with_cost: bool = False,
    discount: float | None = None,
) -> dict[str, object]:
    """The nodes that a team may still use.

    Args:
        team: Name of the team, as in its
            namespace.
        used (int): Nodes in use already.
        region: Where the nodes are; default: where most are.
        with_cost: Whether to say what they cost.
        discount: Part of the price that is
            not paid, from 0 to 1.

    Raises:
        LookupError: There is no such team.
    """
    if team not in LIMITS:
        raise LookupError(f"there is no team `{team}`; there are: {', '.join(LIMITS)}")
    nodes = LIMITS[team] - used
    cost = {"hour": round(nodes * rates.hourly(tier) * (1 - (discount or 0)), 2)} if with_cost else {}
    return {"team": team, "tier": tier, "region": region, "nodes": nodes} | cost
