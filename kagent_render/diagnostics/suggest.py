"""Did-you-mean: the nearest of the accepted names."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate most like `name`, or None when none is near. Ties go to the first in sorted order."""
    import difflib  # only an error needs it

    by_fold = {candidate.casefold(): candidate for candidate in sorted(candidates, reverse=True)}
    found = difflib.get_close_matches(name.casefold(), sorted(by_fold), n=1, cutoff=0.6)
    return by_fold[found[0]] if found else None


def did_you_mean(name: str, candidates: Iterable[str]) -> str | None:
    """A help line naming the nearest candidate, or None."""
    match = nearest(name, candidates)
    return f"did you mean `{match}`?" if match else None
