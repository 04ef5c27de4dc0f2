"""Long output made short: never longer than allowed, nothing made up, and what went wrong is still in it."""

from __future__ import annotations

import re
import string
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kagent_runtime.components import condense

HINT = "Narrow it with `sinceSeconds`."
LIMITS = st.integers(1024, 4096)
_WORDS = st.sampled_from(
    ["GET", "/cart", "ok", "200", "500", "took", "17ms", "user", "a1b2c3", "10:00:01", "état", "…"]
)
_QUIET = st.lists(_WORDS.filter(lambda word: word != "500"), max_size=9).map(" ".join)
_LINES = st.lists(st.one_of(_QUIET, st.text(string.printable.replace("\n", ""), max_size=60)), max_size=300)
_REPEATED = re.compile(r"  \[[\d,]+ times(?:, from \S+(?: \S+)? to \S+(?: \S+)?)?\]$")
_GAP = re.compile(r"\[… ([\d,]+) lines …\]$")


def _is_from(line: str, text: str) -> bool:
    """Whether a line of the output is one of the input, but for how often it was there and where it was cut."""
    line = _REPEATED.sub("", line)
    return line in text.splitlines() or (line.endswith("…") and f"\n{line[:-1]}" in f"\n{text}")


@given(_LINES, LIMITS)
def test_a_log_fits_and_nothing_is_made_up(lines: list[str], limit: int) -> None:
    """And the lines left out are all counted."""
    text = "\n".join(lines * 5)
    short = condense.log(text, limit, HINT)
    assert len(short.encode()) <= limit
    assert condense.log(text, limit, HINT) == short
    if short == text:
        return
    note, *kept = short.split("\n")
    assert f"[{len(text.splitlines()):,} lines are too many" in note
    gaps = [int(found[1].replace(",", "")) for line in kept if (found := _GAP.match(line))]
    assert f"{sum(gaps):,} are left out" in note
    assert not [line for line in kept if not _GAP.match(line) and not _is_from(line, text)]
    assert len(text.encode()) > limit


@given(st.lists(_QUIET, min_size=150, max_size=300), LIMITS, st.integers(0, 1000), st.booleans())
def test_the_only_error_is_never_lost(lines: list[str], limit: int, place: int, is_long: bool) -> None:
    """Wherever it is, and however long it is."""
    error = "KeyError: 'DATABASE_URL' is not set" + " and so on" * (900 if is_long else 0)
    lines.insert(place % len(lines), error)
    short = condense.log("\n".join(lines), limit, HINT)
    assert len(short.encode()) <= limit
    assert "KeyError: 'DATABASE_URL' is not set" in short


@given(st.integers(3, 2000), LIMITS)
def test_a_run_of_the_same_line_is_one(count: int, limit: int) -> None:
    """With how often it was there, from when to when."""
    lines = [
        f"2026-11-23T10:{n // 60 % 60:02}:{n % 60:02}Z healthz from 10.0.0.{n % 250} ok id={n:06x}"
        for n in range(count)
    ]
    short = condense.log("\n".join(lines), limit, HINT)
    if len("\n".join(lines).encode()) <= limit:
        assert short == "\n".join(lines)
        return
    times = [re.findall(r"2026-\S+Z", line)[0] for line in (lines[0], lines[-1])]
    assert short.splitlines()[1:] == [f"{lines[0]}  [{count:,} times, from {times[0]} to {times[1]}]"]
    assert f"{count:,} are folded" in short.splitlines()[0]


PYTHON = "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\n    main()\nKeyError: 'URL'"
JAVA = "java.lang.IllegalStateException: no url\n\tat shop.Main.run(Main.java:7)\nCaused by: shop.NoUrl\n\t... 23 more"
GO = "panic: no url\n\ngoroutine 1 [running]:\nmain.(*Shop).Open(0xc000012345)\n\t/app/main.go:7 +0x1f"


@pytest.mark.parametrize("trace", [PYTHON, JAVA, GO], ids=["python", "java", "go"])
def test_a_stack_trace_stays_whole(trace: str) -> None:
    """Among thousands of lines that say nothing."""
    lines = [f"{'served' if n % 2 else 'asked'} {n}" for n in range(9000)]
    short = condense.log("\n".join([*lines[:5000], *trace.split("\n"), *lines[5000:]]), 4096, HINT)
    assert f"\n{trace}\n" in short
    assert short.endswith("\nserved 8999")
    assert "\nasked 0\n" in short


def test_many_errors_leave_room_for_the_end_and_are_told_by_kind() -> None:
    """Each kind of error once before any is told twice."""
    lines = [f"ERROR {'abcdefghij'[n % 10] * 20} {n} {'x' * 60}" for n in range(3000)] + ["shutting down", "bye"]
    short = condense.log("\n".join(lines), 4096, HINT)
    assert {letter for letter in "abcdefghij" if f"ERROR {letter * 20}" in short} == set("abcdefghij")
    assert short.endswith("\nshutting down\nbye")


def test_an_answer_of_5xx_is_no_repetition_of_200() -> None:
    """The one line that matters of an access log."""
    lines = [f'10.0.0.{n % 9} - "GET /cart HTTP/1.1" 200 {n}' for n in range(4000)]
    lines[1234] = lines[1234].replace(" 200 ", " 503 ")
    assert lines[1234] in condense.log("\n".join(lines), 2048, HINT)


@pytest.mark.parametrize("piece", ["a", "#", "-:", "f(", " ", "status=", '"'])
def test_no_line_takes_long(piece: str) -> None:
    """Patterns are applied to what anybody may write into a log."""
    started = time.monotonic()
    condense.log("\n".join(["error", piece * 400_000]), 4096, HINT)
    assert time.monotonic() - started < 5


_CELLS = st.lists(
    st.tuples(
        st.text(string.ascii_lowercase, min_size=1, max_size=30),
        st.sampled_from(["1/1", "0/1"]),
        st.sampled_from(["Running", "CrashLoopBackOff", "Completed"]),
        st.sampled_from(["0", "3 (2m ago)"]),
    ),
    max_size=120,
)
HEAD = ["NAME", "READY", "STATUS", "RESTARTS"]


@given(_CELLS, LIMITS)
def test_of_a_table_what_is_not_well_comes_first(cells: list[tuple[str, ...]], limit: int) -> None:
    """It fits, its rows are rows of the list, and those left out are counted by status."""
    short = condense.rows(HEAD, cells, limit, order=condense.health, kind=condense.status, hint=HINT)
    assert len(short.encode()) <= limit
    body, _, note = short.partition("\n\n")
    shown = [tuple(re.split(r"   +", line)) for line in body.splitlines()[1:]]
    assert set(shown) <= set(cells)
    if not note:
        assert shown == list(cells)
        return
    ranks = [condense.health(dict(zip(HEAD, row, strict=True))) for row in shown]
    assert ranks == sorted(ranks)
    left_out = int(note[1:].split(" ")[0].replace(",", ""))
    assert left_out + len(shown) == len(cells)
    counted = re.findall(r"(\d+) (Running|CrashLoopBackOff|Completed)", note)
    assert sum(int(number) for number, _ in counted) == left_out
    unwell = [row for row in cells if condense.health(dict(zip(HEAD, row, strict=True))) == 0]
    assert ranks.count(0) == min(len(unwell), len(shown))


@given(st.text(max_size=3000), st.integers(0, 2000))
def test_the_ends_of_a_text_fit(text: str, limit: int) -> None:
    """Of any text, in bytes."""
    short = condense.ends(text, limit)
    assert len(short.encode()) <= limit or short == text
    assert short == text or len(text.encode()) > limit


@settings(max_examples=30)
@given(st.text(max_size=3000), st.integers(0, 2000))
def test_any_log_fits_into_any_limit(text: str, limit: int) -> None:
    """Even into one that holds no note."""
    assert len(condense.log(text, limit, HINT).encode()) <= max(limit, 0)


@pytest.mark.parametrize(
    ("row", "rank"),
    [
        ({"NAME": "a", "READY": "1/1", "STATUS": "Running", "RESTARTS": "0"}, 2),
        ({"NAME": "a", "READY": "1/1", "STATUS": "Running", "RESTARTS": "4 (3m ago)"}, 1),
        ({"NAME": "a", "READY": "0/1", "STATUS": "Completed", "RESTARTS": "0"}, 2),
        ({"NAME": "a", "READY": "0/1", "STATUS": "Running", "RESTARTS": "0"}, 0),
        ({"NAME": "a", "READY": "2/3", "UP-TO-DATE": "3", "AVAILABLE": "2"}, 0),
        ({"NAME": "a", "DESIRED": "3", "READY": "3", "AVAILABLE": "2"}, 0),
        ({"NAME": "n", "STATUS": "NotReady"}, 0),
        ({"NAME": "n", "STATUS": "Ready,SchedulingDisabled"}, 0),
        ({"NAME": "n", "STATUS": "Ready"}, 2),
        ({"NAME": "c", "DATA": "3"}, 2),
    ],
)
def test_what_kubectl_prints_tells_what_is_not_well(row: dict[str, str], rank: int) -> None:
    """Of pods, workloads, nodes, and of what has no status at all."""
    assert condense.health(row) == rank
