"""Two processes on one PostgreSQL: whoever is asked answers, and when one dies the other goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.edge.postgresql import PostgreSQL
from tests.runtime.killing import Shop, bombard, kill_and_restart, message
from tests.runtime.process import Event, Runtime, read_sse, types
from tests.runtime.test_crashes import assert_nothing_lost, wait_ordered

HANDOVER_SECONDS = 30  # a lease of 6 s, and a machine that does other things


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgreSQL]:
    with PostgreSQL() as server:
        yield server


@pytest.fixture
def shop(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Shop]:
    made = Shop(tmp_path, approval="approv" in request.node.name)
    yield made
    made.close()


@pytest.fixture
def replicas(shop: Shop, postgresql: PostgreSQL, request: pytest.FixtureRequest) -> Iterator[tuple[Runtime, Runtime]]:
    """Two processes of one agent on a database of their own."""
    url = postgresql.new_database(request.node.name[:60])
    with ExitStack() as stack:
        started = [stack.enter_context(shop.runtime(name, KAGENT_DATABASE_URL=url)) for name in "ab"]
        yield started[0], started[1]


def wait_event(runtime: Runtime, session: str, type: str, number: int = 1) -> Event:
    """The event of this type with this number, from one."""
    deadline = time.monotonic() + HANDOVER_SECONDS
    while len(found := [event for event in runtime.log(session) if event["type"] == type]) < number:
        assert time.monotonic() < deadline, runtime.log(session)
        time.sleep(0.05)
    return found[number - 1]


def test_the_other_process_shows_the_turn_and_stops_it(shop: Shop, replicas: tuple[Runtime, Runtime]) -> None:
    """History, status, the live stream, a refused message, the cancel: all where the turn is not."""
    one, two = replicas
    session = one.new_session()
    seen: list[Event] = []

    def follow() -> None:
        path = f"{two.url}/api/v1/sessions/{session}/events"
        with httpx.stream("GET", path, headers={"Accept": "text/event-stream"}, timeout=60) as answer:
            for event in read_sse(answer):
                seen.append(event)
                if event["type"] == "run.finished":
                    return

    following = threading.Thread(target=follow)
    following.start()
    one.send(session, message("1", seconds=30))
    wait_event(two, session, "tool.call")
    assert two.client.get(f"/api/v1/sessions/{session}").json()["status"] == "running"
    refused = two.client.post(f"/api/v1/sessions/{session}/messages", json={"content": "x"})
    assert (refused.status_code, refused.headers["retry-after"]) == (409, "1")
    assert two.client.post(f"/api/v1/sessions/{session}/cancel").status_code == 202
    events = one.wait_finished(session)
    assert events[-1]["outcome"] == "cancelled"
    following.join(30)
    assert seen == events == two.log(session)
    assert two.ask(session, message("2"))[-1]["outcome"] == "completed"
    assert shop.ordered() == ["2"]


def test_the_other_process_approves(shop: Shop, replicas: tuple[Runtime, Runtime]) -> None:
    """And its owner makes the call; also when the owner died meanwhile, and somebody else is it."""
    one, two = replicas
    session = one.new_session()
    for number, owner in (("1", one), ("2", two)):
        sent = owner.send(session, message(number))
        other = two if owner is one else one
        asked = wait_event(other, session, "approval.requested", int(number))
        if number == "2":
            owner.kill()
        path = f"/api/v1/sessions/{session}/approvals/{asked['callId']}"
        assert other.client.post(path, json={"decision": "approve"}).status_code == 200
        assert other.client.post(path, json={"decision": "deny"}).status_code == 409
        events = other.wait_finished(session, HANDOVER_SECONDS)
        run = [event for event in events if event.get("runId") == sent["runId"]]
        assert run[-1]["outcome"] == "completed"
        assert [event["by"] for event in run if event["type"] == "approval.decided"] == ["person"]
    assert shop.ordered() == ["1", "2"]


def test_a_turn_goes_on_elsewhere_when_its_process_dies(shop: Shop, replicas: tuple[Runtime, Runtime]) -> None:
    """Within seconds, in the stream that somebody follows at the other."""
    one, two = replicas
    session = one.new_session()
    one.send(session, message("1", sleep=3))
    shop.model.wait_for_requests(2)
    wait_ordered(shop)
    one.kill()
    killed = time.monotonic()
    events = two.wait_finished(session, HANDOVER_SECONDS)
    assert time.monotonic() - killed < HANDOVER_SECONDS
    assert types(events)[-3:] == ["notice", "message", "run.finished"]
    assert shop.ordered() == ["1"]


def test_a_paused_process_writes_nothing_more(shop: Shop, replicas: tuple[Runtime, Runtime]) -> None:
    """It wakes up after another one took its turn, and finds that it is not its own."""
    import signal

    one, two = replicas
    session = one.new_session()
    one.send(session, message("1", seconds=0.1, sleep=2))
    shop.model.wait_for_requests(1)
    one.process.send_signal(signal.SIGSTOP)
    try:
        events = two.wait_finished(session, HANDOVER_SECONDS)
    finally:
        one.process.send_signal(signal.SIGCONT)
    time.sleep(3)
    assert one.log(session) == events
    assert events[-1]["outcome"] == "completed"
    assert shop.ordered() == ["1"]
    assert one.ask(session, message("2"))[-1]["outcome"] == "completed"


def test_an_outage_of_the_database_is_survived(
    shop: Shop, replicas: tuple[Runtime, Runtime], postgresql: PostgreSQL
) -> None:
    """503 with a time to come back; the turn that went on meanwhile is gone on with, and orders nothing twice."""
    one, _ = replicas
    session = one.new_session()
    one.send(session, message("1", seconds=0.1, sleep=2))
    shop.model.wait_for_requests(1)
    postgresql.stop()
    try:
        refused = one.client.post("/api/v1/sessions", json={})
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
        time.sleep(2.5)
    finally:
        postgresql.start()
    assert one.wait_finished(session, HANDOVER_SECONDS)[-1]["outcome"] == "completed"
    assert shop.ordered() == ["1"]


def test_fifty_turns_around_processes_that_die(shop: Shop, replicas: tuple[Runtime, Runtime]) -> None:
    """A client of a load balancer: every turn at the next process, one of which is killed every ten turns."""
    session = replicas[0].new_session()
    for turn in range(50):
        if turn and turn % 10 == 0:
            kill_and_restart(replicas[turn // 10 % 2])
        _turn(replicas[turn % 2], session, f"n{turn}")
    assert shop.ordered() == [f"n{turn}" for turn in range(50)]
    log = replicas[0].log(session)
    assert [event["seq"] for event in log] == list(range(1, len(log) + 1))
    assert [event["outcome"] for event in log if event["type"] == "run.finished"] == ["completed"] * 50
    remembered = [m for m in shop.model.requests[-1].messages if m["role"] == "user"]
    assert len(remembered) == 50


def _turn(runtime: Runtime, session: str, number: str) -> None:
    deadline = time.monotonic() + HANDOVER_SECONDS
    body: dict[str, Any] = {"content": message(number, seconds=0, sleep=0)}
    while (answer := runtime.client.post(f"/api/v1/sessions/{session}/messages", json=body)).status_code != 202:
        assert answer.status_code == 409, answer.text
        assert time.monotonic() < deadline
        time.sleep(0.1)
    runtime.wait_finished(session, HANDOVER_SECONDS)


def test_kills_at_random_moments_with_postgresql(shop: Shop, replicas: tuple[Runtime, Runtime]) -> None:
    """Now this one, now that one, while clients talk to both."""
    report = bombard(shop, list(replicas), kills=10, seed=2)
    assert_nothing_lost(report)
