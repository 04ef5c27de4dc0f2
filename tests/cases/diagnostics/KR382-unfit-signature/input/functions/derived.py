import typing
from typing import Annotated, Literal, Optional, Union

DAYS = 30
Loop = Optional["Loop"]


def positional(cluster: Annotated[str, "d"], /, days: Annotated[int, "d"]) -> str:  # error: KR382
    """Text."""


def variable(*clusters: str) -> str:  # error: KR382
    """Text."""


def untyped(cluster) -> str:  # error: KR382
    """Text.

    Args:
        cluster: Described all the same.
    """


def types(
    names: list[str],  # error: KR382
    either: int | str,  # error: KR382
    quoted: "int",  # error: KR382
    nothing: None,  # error: KR382
    unknown: Text,  # error: KR382
    alias: Loop,  # error: KR382
    of_other: typing.Any,  # error: KR382
    good: Union[Literal["ä"], Literal["ö"], None] = None,
) -> str:
    """Text.

    Arguments:
        good: The one that is.
    """


def choices(
    numbers: Literal[1, 2],  # error: KR382
    empty: Literal["", "a"],  # error: KR382
    half: Literal["\ud800"],  # error: KR382
) -> str:
    """Text."""


def undescribed(cluster: str, days: int = DAYS) -> str:  # error: KR382
    """Text.

    Args:
        days: How many, and nothing of the other.
    """


def defaults(
    days: Annotated[int, "d"] = "ten",  # error: KR356
    size: Annotated[Literal["s", "m"], "d"] = "xl",  # error: KR356
    größe: Annotated[int, "d"] = 1,  # error: KR105
) -> str:
    """Text."""


def any_keyword(**more: str) -> str:
    """Text."""
