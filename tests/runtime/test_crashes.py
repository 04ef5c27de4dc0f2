"""Processes that are killed: nothing acknowledged is lost, nothing that changes something is done twice."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kagent_runtime.journal import UNKNOWN
from tests.runtime.killing import Report, Shop, bombard, message
from tests.runtime.process import types


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    yield made
    made.close()


def assert_nothing_lost(report: Report) -> None:
    """What must hold whenever the kill came."""
    assert report.acknowledged > report.kills
    found = (report.lost, report.repeated, report.hidden, report.unfinished, report.broken_logs)
    assert found == ([], [], [], [], []), report
    # A run that three of its processes died with is closed; chance may do that too.
    assert [error for error in report.errors if "again when it was gone on with" not in error] == []
    assert report.outcomes["completed"] + len(report.errors) == report.acknowledged


def wait_ordered(shop: Shop, number: int = 1) -> None:
    """Until so many orders were made."""
    deadline = time.monotonic() + 15
    while len(shop.ordered()) < number:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_call_that_may_have_run_is_not_made_again(shop: Shop) -> None:
    """Killed between the order and its confirmation: the model hears that nobody knows."""
    with shop.runtime("run") as runtime:
        session = runtime.new_session()
        runtime.send(session, message("1", seconds=2))
        wait_ordered(shop)
        runtime.kill()
    with shop.runtime("run") as runtime:
        events = runtime.wait_finished(session)
        assert runtime.ask(session, message("2"))[-1]["outcome"] == "completed"
    (result,) = [event for event in events if event["type"] == "tool.result"]
    assert (result["isError"], result["content"]) == (True, UNKNOWN)
    assert types(events)[-2:] == ["message", "run.finished"]
    assert events[-1]["outcome"] == "completed"
    assert shop.model.requests[-2].messages[-1]["role"] == "user"  # the next turn remembers all of this one
    assert any(m.get("content") == UNKNOWN for m in shop.model.requests[-1].messages)
    assert shop.ordered() == ["1", "2"]


def test_what_was_done_before_the_crash_is_not_done_again(shop: Shop) -> None:
    """Killed while the model answers after the call: its result is known, and neither call nor model is repeated."""
    with shop.runtime("run") as runtime:
        session = runtime.new_session()
        runtime.send(session, message("1", sleep=2))
        shop.model.wait_for_requests(2)
        runtime.kill()
    with shop.runtime("run") as runtime:
        events = runtime.wait_finished(session)
    assert [event["content"] for event in events if event["type"] == "tool.result"] == ["ordered 1"]
    assert [event["type"] for event in events].count("tool.call") == 1
    assert shop.ordered() == ["1"]
    assert len(shop.model.requests) == 3  # the one that was cut off is asked again
    assert events[-1]["usage"]["completionTokens"] > 0


def test_a_run_that_kills_its_process_is_given_up(shop: Shop) -> None:
    """Three deaths are enough; the user is told which call may have run."""
    with shop.runtime("run") as runtime:
        session = runtime.new_session()
        runtime.send(session, message("1", seconds=30))
        shop.model.wait_for_requests(1)
        deadline = time.monotonic() + 30
        with closing(sqlite3.connect(shop.folder / "run" / "sessions.db", isolation_level=None)) as database:
            while not database.execute("SELECT 1 FROM journal WHERE about = 'order'").fetchall():
                assert time.monotonic() < deadline
                time.sleep(0.05)
            runtime.kill()
            database.execute("UPDATE runs SET deaths = 2")
    with shop.runtime("run") as runtime:
        end = runtime.wait_finished(session)[-1]
        assert (end["outcome"], end["error"]["title"]) == ("failed", "Interrupted")
        assert "it is unknown whether its calls of order ran" in end["error"]["detail"]
        assert runtime.ask(session, message("2"))[-1]["outcome"] == "completed"
    assert shop.ordered() == ["2"]


def test_a_call_that_ran_and_was_not_told_of_is_named(shop: Shop) -> None:
    """The process died between the result of the call and its event, and the run does not go on."""
    with shop.runtime("run") as runtime:
        session = runtime.new_session()
        runtime.send(session, message("1", sleep=5))
        shop.model.wait_for_requests(2)
        runtime.kill()
        with closing(sqlite3.connect(shop.folder / "run" / "sessions.db", isolation_level=None)) as database:
            told = "SELECT seq FROM events WHERE json_extract(data, '$.type') = 'tool.result'"
            assert database.execute(f"DELETE FROM events WHERE seq IN ({told})").rowcount == 1
            database.execute("UPDATE runs SET deaths = 2")
    with shop.runtime("run") as runtime:
        end = runtime.wait_finished(session)[-1]
    assert end["error"]["detail"].endswith(
        "; its calls of order ran, and what they returned was not told; send the message again"
    )
    assert shop.ordered() == ["1"]


def test_a_sqlite_file_is_one_process_s(shop: Shop) -> None:
    """A second one says so, and does not start."""
    with shop.runtime("run"):
        second = shop.runtime("run")
        with pytest.raises(AssertionError, match="in use by another process; several can share PostgreSQL"):
            second.__enter__()
        assert second.process.returncode == 78


def test_kills_at_random_moments_with_sqlite(shop: Shop) -> None:
    """One process after another on one file."""
    with shop.runtime("run") as runtime:
        report = bombard(shop, [runtime], kills=int(os.environ.get("KILLS", "10")), seed=1)
    assert_nothing_lost(report)
