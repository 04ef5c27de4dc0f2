"""What one process takes on: runs at once, a bounded queue, requests of bounded size and time."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.edge.model_server import ModelServer
from tests.harness import EXAMPLES
from tests.runtime.process import Runtime, runtime_config

APPROVED = "tools: [{name: kubectl-get, requireApproval: true}]"


class Door:
    """A model that answers when the door is opened."""

    def __init__(self) -> None:
        self.is_open = threading.Event()

    def __call__(self, _: object) -> dict[str, object]:
        return {"text": "Done."} if self.is_open.is_set() else {"text": "Done.", "sleep": 3}


def _start(folder: Path, model: ModelServer, *flags: str) -> Runtime:
    config = runtime_config(EXAMPLES / "quickstart")
    return Runtime(config, folder, "--cluster", "sample", "--model-base-url", model.base_url, *flags)


def _try(runtime: Runtime, session: str) -> httpx.Response:
    return runtime.client.post(f"/api/v1/sessions/{session}/messages", json={"content": "go"})


def _metric(runtime: Runtime, name: str) -> float:
    lines = runtime.client.get("/metrics").text.splitlines()
    return next(float(line.split()[-1]) for line in lines if line.startswith(f"{name} "))


def test_more_than_fits_is_refused_and_then_taken_again(tmp_path: Path) -> None:
    """One runs, one waits, the third is told when to come back; nothing of it is stored; later it is welcome."""
    door = Door()
    with ModelServer(door) as model, _start(tmp_path, model, "--max-runs", "1", "--max-queued-runs", "1") as runtime:
        sessions = [runtime.new_session() for _ in range(3)]
        assert [_try(runtime, session).status_code for session in sessions[:2]] == [202, 202]
        refused = _try(runtime, sessions[2])
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert refused.json()["detail"].startswith("too many turns")
        assert runtime.log(sessions[2]) == []
        assert _try(runtime, sessions[0]).status_code == 409
        assert _metric(runtime, "kagent_runs_queued") == 1
        assert _metric(runtime, "kagent_runs_refused_total") == 1
        assert _metric(runtime, "kagent_runs_in_flight") == 1
        assert len(model.requests) <= 1
        door.is_open.set()
        for session in sessions[:2]:
            assert runtime.wait_finished(session)[-1]["outcome"] == "completed"
        assert _try(runtime, sessions[2]).status_code == 202
        assert runtime.wait_finished(sessions[2])[-1]["outcome"] == "completed"
        assert _metric(runtime, "kagent_runs_queued") == 0
        # In their order: the one that waited did not overlap with the one before it.
        first, second = (runtime.log(session) for session in sessions[:2])
        assert first[-1]["at"] <= next(item for item in second if item["type"] == "message")["at"]


def test_a_run_that_waits_for_its_place_can_be_cancelled_and_deleted(tmp_path: Path) -> None:
    """At once, without ever asking the model; and its place in the queue is free again."""
    with ModelServer(Door()) as model:
        with _start(tmp_path, model, "--max-runs", "1", "--max-queued-runs", "1") as runtime:
            running, queued, other = (runtime.new_session() for _ in range(3))
            assert [_try(runtime, session).status_code for session in (running, queued)] == [202, 202]
            runtime.client.post(f"/api/v1/sessions/{queued}/cancel")
            assert runtime.wait_finished(queued, timeout=2)[-1]["outcome"] == "cancelled"
            assert _try(runtime, other).status_code == 202
            assert runtime.client.delete(f"/api/v1/sessions/{other}").status_code == 204
            assert _try(runtime, queued).status_code == 202
            runtime.process.send_signal(signal.SIGTERM)
            assert runtime.process.wait(20) == 0  # at the end of the one that runs; the next process has the other
            assert model.requests[1:] == []
        with _start(tmp_path, model) as runtime:
            outcomes = [runtime.wait_finished(id)[-1]["outcome"] for id in (running, queued)]
            assert outcomes == ["completed", "completed"]


def test_who_waits_for_a_person_takes_no_place(tmp_path: Path) -> None:
    """Else a few open questions would stop everybody."""
    from tests.runtime.process import KEY
    from tests.runtime.puppet import puppet, task
    from tests.runtime.specs import agent, compiled
    from tests.runtime.test_approvals import decide, get, only, wait_for

    with ModelServer(puppet(), api_key=KEY) as model:
        config = compiled(tmp_path / "specs", model.base_url, agent("solo", APPROVED))
        flags = ("--cluster", "sample", "--max-runs", "1", "--max-queued-runs", "0")
        with Runtime(config, tmp_path / "state", *flags) as runtime:
            asking, other = runtime.new_session(), runtime.new_session()
            runtime.send(asking, task(solo=[{"tool_calls": [get()]}, {"text": "Seen."}]))
            (asked,) = wait_for(runtime, asking, "approval.requested")
            runtime.send(other, task(solo=[{"text": "Here."}]))
            assert runtime.wait_finished(other)[-1]["outcome"] == "completed"
            assert decide(runtime, asking, asked["callId"], "approve").status_code == 200
            assert only(runtime.wait_finished(asking), "run.finished")["outcome"] == "completed"
            runtime.send(other, task(solo=[{"text": "Again."}]))
            assert runtime.wait_finished(other)[-1]["outcome"] == "completed"


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """A runtime that answers at once."""
    with ModelServer(lambda _: {"text": "Done."}) as model:
        with _start(tmp_path_factory.mktemp("quick"), model) as runtime:
            yield runtime


def _connect(runtime: Runtime) -> socket.socket:
    url = httpx.URL(runtime.url)
    return socket.create_connection((url.host, url.port or 80), 30)


def _read(connection: socket.socket) -> bytes:
    with connection:
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer


def _head(runtime: Runtime, path: str, *lines: str) -> bytes:
    host = httpx.URL(runtime.url).netloc.decode()
    return "\r\n".join([f"POST {path} HTTP/1.1", f"Host: {host}", *lines, "", ""]).encode()


def test_a_body_without_a_length_is_bounded_too(quick: Runtime) -> None:
    """413, as with a length."""

    def pieces() -> Iterator[bytes]:
        yield b'{"title": "'
        for _ in range(20):
            yield b"x" * 65_536
        yield b'"}'

    headers = {"Content-Type": "application/json"}
    answer = quick.client.post("/api/v1/sessions", content=pieces(), headers=headers)
    assert (answer.status_code, answer.json()["detail"]) == (413, "the body is larger than 1 MiB")
    known = quick.client.post("/api/v1/sessions", json={"title": "x" * (1 << 20)})
    assert known.status_code == 413


def test_the_rest_of_a_refused_body_is_no_header(quick: Runtime) -> None:
    """It may come after the answer, on a connection that is kept."""
    size = 1 << 21
    with _connect(quick) as connection:
        head = _head(quick, "/api/v1/sessions", "Content-Type: application/json", f"Content-Length: {size}")
        connection.sendall(head)
        assert connection.recv(12) == b"HTTP/1.1 413"
        while not connection.recv(65536).endswith(b"}"):
            pass
        for _ in range(size // 65536):
            connection.sendall(b"x" * 65536)
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 200"


def test_headers_are_bounded(quick: Runtime) -> None:
    """One large header, many small ones, and a request line; kept connections too."""
    large = [f"X-{number}: {'x' * 1000}" for number in range(40)]
    for lines in (large, ["X: " + "x" * 40_000], [f"X{number}: y" for number in range(4000)]):
        connection = _connect(quick)
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 200"
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n" + "\r\n".join(lines).encode())
        assert b"HTTP/1.1 431" in _read(connection)
    assert quick.client.get("/healthz", headers={"X-Long": "x" * 20_000}).status_code == 200
    body = {"title": "x" * 200, "more": "y" * 100_000}
    assert quick.client.post("/api/v1/sessions", json=body).status_code == 422  # a body is no header


def test_slow_requests_are_ended(quick: Runtime) -> None:
    """Headers in 10 s, the body in 20 s; a connection that says nothing at all as well. Others are served meanwhile."""
    json_body = ("Content-Type: application/json", "Content-Length: 100")
    silent, slow_head, slow_body = _connect(quick), _connect(quick), _connect(quick)
    kept = _connect(quick)
    kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert kept.recv(65536).endswith(b'{"status":"ok"}')
    slow_head.sendall(b"GET /healthz HTTP/1.1\r\nX: ")
    slow_body.sendall(_head(quick, "/api/v1/sessions", *json_body) + b'{"title": "')
    started = time.monotonic()
    for _ in range(16):
        slow_body.sendall(b"x")
        try:
            slow_head.sendall(b"x")
        except OSError:
            pass
        assert quick.client.get("/healthz").status_code == 200
        time.sleep(0.5)
    assert b"HTTP/1.1 408" in _read(slow_head)
    assert b"HTTP/1.1 408" in _read(silent)
    assert 9 < time.monotonic() - started < 13
    answer = _read(slow_body)
    assert 19 < time.monotonic() - started < 24
    assert answer.startswith(b"HTTP/1.1 408")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["detail"] == "the body did not come in time"
    kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")  # idle is not slow
    assert kept.recv(12) == b"HTTP/1.1 200"
    kept.close()
