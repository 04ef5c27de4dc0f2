"""What was asked of the real API server, counted: so that a log shows what a green run has checked."""

from __future__ import annotations

from collections import Counter


class Tally:
    """Numbers by what was done."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()

    def count(self, what: str, *, failures: int = 0, number: int = 1) -> None:
        """So many things were done, of which some failed."""
        self.done[what] += number
        self.failed[what] += failures

    def lines(self) -> list[str]:
        """One line for everything that was counted, in the order of the first."""
        return [f"{number:7,} {what}, {self.failed[what]:,} failed" for what, number in self.done.items()]
