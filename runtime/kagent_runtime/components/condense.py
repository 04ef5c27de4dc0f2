"""Long output made short for a model: what says most is kept, and a note says what was left out.

Pure functions of a text and a limit in bytes. What fits is returned as it is; what does not is never longer than the
limit, and every line kept is a line of the input, but for its end where it is cut or was repeated.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kagent_runtime.components.texts import table

Fitting = Callable[[int], str]
"""A text, given the bytes that it may have."""
Answer = str | Fitting

_ERROR = re.compile(
    r"\b(?:error|err|fatal|crit|critical|severe|alert|emerg|panic|panicked|exception|traceback|failed|failure|failing|"
    r"oomkilled|segfault|sigsegv)\b|(?:Error|Exception)\b|^[EF][0-9]{4} |"
    r"\" 5[0-9][0-9]\b|\bstatus[=: \"]+5[0-9][0-9]\b",
    re.IGNORECASE,
)
_WARNING = re.compile(
    r"\bwarn(?:ing)?\b|^W[0-9]{4} |\b(?:denied|refused|timed out|timeout|unauthorized)\b", re.IGNORECASE
)
# What follows a line and belongs to it: the frames of Java, Python, Go and others, and what they are separated by.
_FRAME = re.compile(
    r"\s|$|Caused by: |Suppressed: |During handling of |The above exception |goroutine \d+ \[|created by |"
    r"[\w./*-]+(?:\(\*\w+\)[\w.]*)?\(.{0,400}\)$"
)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?|\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b")
_WORD = re.compile(r"[A-Za-z0-9_]+")
_DIGIT = re.compile(r"\d")
_VARYING = re.compile(r"#(?:[-.:,+/]+#)+")
_FRAMES_KEPT = 12
_GAP = len("[… 1,000,000,000 lines …]".encode()) + 1
_CUT = "…"


def fitted(answer: Answer, limit: int) -> str:
    """The text of an answer within the limit, if it is one that can be made short."""
    return answer if isinstance(answer, str) else answer(limit)


def ends(text: str, limit: int) -> str:
    """Head and tail of a text that is too long, with a note between."""
    raw = text.encode()
    if len(raw) <= limit:
        return text
    half = (limit - len(_note_between(len(raw)).encode())) // 2
    if half <= 0:
        return _head(text, limit)
    head, tail = raw[:half].decode("utf-8", "ignore"), raw[-half:].decode("utf-8", "ignore")
    return f"{head}{_note_between(len(raw) - 2 * half)}{tail}"


def _note_between(count: int) -> str:
    return f"\n\n[… {count:,} bytes left out; narrow the request to see them …]\n\n"


def log(text: str, limit: int, hint: str) -> str:
    """A log: repeated lines are told once, errors and warnings come first, with their stack traces, then its ends."""
    if len(text.encode()) <= limit:
        return text
    lines = text.splitlines()
    entries = _folded(lines)
    note = _note(len(lines), len(lines), len(lines), hint)
    shown = [_head(one.text, max(limit // 8, 80)) + one.repeats for one in entries]
    chosen = _chosen(entries, [len(one.encode()) + 1 for one in shown], limit - len(note.encode()) - 2)
    left_out = sum(one.count for index, one in enumerate(entries) if index not in chosen)
    folded = sum(one.count for index, one in enumerate(entries) if index in chosen and one.count > 1)
    body = "\n".join(_with_gaps(entries, shown, chosen))
    return _head(f"{_note(len(lines), folded, left_out, hint)}\n{body}", limit)


def _note(total: int, folded: int, left_out: int, hint: str) -> str:
    return (
        f"[{total:,} lines are too many: {folded:,} are folded, being the same but for times, ids and numbers, and "
        f"{left_out:,} are left out, errors and warnings last. {hint}]"
    )


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line, or a run of lines that are the same but for what varies; `rank` is 2 for an error and 1 for a warning."""

    text: str
    shape: str
    rank: int
    count: int = 1
    repeats: str = ""
    is_frame: bool = False


def _folded(lines: Sequence[str]) -> list[_Entry]:
    found: list[_Entry] = []
    start, rank = 0, 0
    while start < len(lines):
        shape, end = _shape(lines[start]), start + 1
        while end < len(lines) and _shape(lines[end]) == shape:
            end += 1
        own = _rank(lines[start])
        is_frame = bool(rank and not own and _FRAME.match(lines[start][:500]))
        rank = rank if is_frame else own
        found.append(
            _Entry(
                lines[start], shape, rank, end - start, _repeats(lines[start], lines[end - 1], end - start), is_frame
            )
        )
        start = end
    return found


def _shape(line: str) -> str:
    """The line without what varies between two of a kind."""
    return _VARYING.sub("#", _WORD.sub(_of_its_kind, line))


def _of_its_kind(found: re.Match[str]) -> str:
    """Any word with a digit in it may be an id or a number; but an answer of 4xx or 5xx is not one of 2xx."""
    word = found[0]
    if len(word) == 3 and word.isdigit() and word[0] in "45":
        return f"{word[0]}xx"
    return "#" if _DIGIT.search(word) else word


def _rank(line: str) -> int:
    return 2 if _ERROR.search(line) else 1 if _WARNING.search(line) else 0


def _repeats(first: str, last: str, count: int) -> str:
    if count == 1:
        return ""
    times = [found[0] for line in (first, last) if (found := _TIME.search(line))]
    return f"  [{count:,} times{f', from {times[0]} to {times[1]}' if len(times) == 2 else ''}]"


def _chosen(entries: Sequence[_Entry], sizes: Sequence[int], budget: int) -> set[int]:
    """The entries that are kept: three quarters at most are for errors and warnings, while there are others."""
    chosen: set[int] = set()
    left = budget - _GAP
    important = list(_important(entries))
    others = list(_from_both_ends([index for index, one in enumerate(entries) if not one.rank]))
    for wanted, keep in ((important, budget // 4 if others else 0), (others, 0), (important, 0)):
        for index in wanted:
            if index in chosen:
                continue
            # A line between two that are left out makes two gaps of one; one between two that are kept ends a gap.
            sides = (index > 0 and index - 1 not in chosen) + (index + 1 < len(entries) and index + 1 not in chosen)
            cost = sizes[index] + (sides - 1) * _GAP
            if left - cost >= keep:
                chosen.add(index)
                left -= cost
    return chosen


def _important(entries: Sequence[_Entry]) -> Iterator[int]:
    """Errors before warnings, and of each kind the first before the last before the others; frames after their line."""
    for rank in (2, 1):
        kinds: dict[str, list[int]] = {}
        for index, one in enumerate(entries):
            if one.rank == rank and not one.is_frame:
                kinds.setdefault(one.shape, []).append(index)
        for index in _from_both_ends([places[0] for places in kinds.values()]):
            yield index
            yield from _frames(entries, index)
        yield from (places[-1] for places in kinds.values())
    yield from (index for index, one in enumerate(entries) if one.rank)


def _frames(entries: Sequence[_Entry], index: int) -> Iterator[int]:
    for place in range(index + 1, min(index + 1 + _FRAMES_KEPT, len(entries))):
        if not entries[place].is_frame:
            return
        yield place


def _from_both_ends(items: Sequence[int]) -> Iterator[int]:
    """The last, the first, the last but one, …: what is now, and what it began with."""
    for step in range((len(items) + 1) // 2):
        yield items[len(items) - 1 - step]
        if step != len(items) - 1 - step:
            yield items[step]


def _with_gaps(entries: Sequence[_Entry], shown: Sequence[str], chosen: set[int]) -> Iterator[str]:
    gap = 0
    for index, one in enumerate(entries):
        if index not in chosen:
            gap += one.count
            continue
        if gap:
            yield f"[… {gap:,} lines …]"
        gap = 0
        yield shown[index]
    if gap:
        yield f"[… {gap:,} lines …]"


def _head(text: str, limit: int) -> str:
    """The first bytes of a text; that it is cut is marked where there is room for that."""
    raw = text.encode()
    if len(raw) <= limit:
        return text
    mark = _CUT.encode()
    kept = raw[: max(limit - len(mark), 0)].decode("utf-8", "ignore")
    return kept + _CUT if limit >= len(mark) else ""


Row = Mapping[str, str]
"""The cells of a row by the names of their columns."""


def rows(
    head: Sequence[str],
    lines: Iterable[Sequence[str]],
    limit: int,
    *,
    order: Callable[[Row], int],
    kind: Callable[[Row], str],
    hint: str,
) -> str:
    """A table: what does not fit is left out by `order`, the highest last, and counted by `kind`."""
    every = [list(line) for line in lines]
    whole = table([list(head), *every])
    if len(whole.encode()) <= limit:
        return whole

    def named(line: Sequence[str]) -> Row:
        return dict(zip(head, line, strict=True))

    every.sort(key=lambda line: order(named(line)))

    def first(count: int) -> str:
        kinds = Counter(kind(named(line)) for line in every[count:])
        told = ", ".join(f"{number:,} {name}".rstrip() for name, number in sorted(kinds.items(), key=_most_first)[:20])
        note = f"[{len(every) - count:,} of {len(every):,} rows are left out: {told}. {hint}]"
        return f"{table([list(head), *every[:count]])}\n\n{note}"

    low, high = 0, len(every)
    while low < high:  # the most rows that fit
        middle = (low + high + 1) // 2
        low, high = (middle, high) if len(first(middle).encode()) <= limit else (low, middle - 1)
    return ends(first(low), limit)


def _most_first(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


_WELL = frozenset("active approved,issued available bound complete completed ready running succeeded true".split())


def health(row: Row) -> int:
    """Of a row of `kubectl get`: 0 for what is not well, 1 for what was restarted, 2 for the rest."""
    state = status(row)
    if state and state.lower() not in _WELL:
        return 0
    ready, _, wanted = row.get("READY", "").partition("/")
    if wanted and ready != wanted and state.lower() not in ("completed", "succeeded"):
        return 0
    if row.get("DESIRED", "") != row.get("AVAILABLE", row.get("DESIRED", "")):
        return 0
    return 1 if row.get("RESTARTS", "0").split(" ")[0] not in ("", "0") else 2


def status(row: Row) -> str:
    """What a row of `kubectl get` says of how its object is, "" where the table has no column for that."""
    return row.get("STATUS", "")
