"""Dapr's pub/sub contract over real HTTP: CloudEvents in both modes, each accepted once, and only from the sidecar."""

from __future__ import annotations

import base64
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.edge.model_server import ModelServer
from tests.runtime.configs import agent, runtime_config
from tests.runtime.process import KEY, Runtime
from tests.runtime.puppet import puppet, task

JSON = dict[str, Any]
TOKEN = "canary-token-0123"
SAID = task(solo=[{"text": "noted"}])


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with ModelServer(puppet(), api_key=KEY) as server:
        yield server


@pytest.fixture(scope="module")
def runtime(model: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    config = runtime_config(agent("solo", model.base_url))
    folder = tmp_path_factory.mktemp("runtime")
    with Runtime(config, folder, KAGENT_DAPR_EVENTS="true", APP_API_TOKEN=TOKEN) as process:
        yield process


def event(id: str, **fields: Any) -> JSON:
    """A structured event as Dapr's sidecar wraps a published message."""
    base: JSON = {"specversion": "1.0", "id": id, "source": "tests", "type": "com.dapr.event.sent", "data": SAID}
    return base | {"datacontenttype": "text/plain", "pubsubname": "bus", "topic": "tasks"} | fields


def structured(runtime: Runtime, body: Any, **headers: str) -> httpx.Response:
    """As the sidecar delivers it."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"Content-Type": "application/cloudevents+json", "dapr-api-token": TOKEN} | headers
    return runtime.client.post("/dapr/events", content=content, headers=given)


def sessions(runtime: Runtime) -> dict[str, str]:
    """Session ids by title."""
    found = runtime.client.get("/api/v1/sessions", params={"limit": 500}).json()["sessions"]
    return {item["title"]: item["id"] for item in found}


def test_an_event_starts_a_turn_and_a_repeat_does_not(runtime: Runtime) -> None:
    """SUCCESS both times: the message is in the log when the first answer comes, and once only."""
    body = event("1", subject="alert/once")
    answer = structured(runtime, body)
    assert (answer.status_code, answer.json()) == (200, {"status": "SUCCESS"})
    session = sessions(runtime)["alert/once"]
    assert runtime.log(session)[0]["content"] == SAID
    assert structured(runtime, body).json() == {"status": "SUCCESS"}
    runtime.wait_finished(session)
    assert structured(runtime, body).json() == {"status": "SUCCESS"}
    assert [item["type"] for item in runtime.log(session)].count("message.user") == 1


def test_events_of_one_subject_share_a_session(runtime: Runtime) -> None:
    """The conversation goes on; an event without a subject gets a session of its own."""
    for id in ("a", "b"):
        assert structured(runtime, event(id, subject="order-7")).json() == {"status": "SUCCESS"}
        events = runtime.wait_finished(sessions(runtime)["order-7"])
    assert [item["type"] for item in events].count("message.user") == 2
    before = len(sessions(runtime))
    assert structured(runtime, event("c", type="single.event")).json() == {"status": "SUCCESS"}
    assert len(sessions(runtime)) == before + 1


@pytest.mark.parametrize(
    ("media_type", "body"),
    [("text/plain", SAID), ("application/json", json.dumps({"content": SAID})), ("application/octet-stream", SAID)],
)
def test_the_binary_mode_is_taken(runtime: Runtime, media_type: str, body: str) -> None:
    """The attributes stand in ce- headers, the data is the body, of whatever type."""
    subject = f"binary {media_type}"
    attributes = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": media_type, "ce-type": "t", "ce-subject": subject}
    headers = attributes | {"Content-Type": media_type, "dapr-api-token": TOKEN}
    answer = runtime.client.post("/dapr/events", content=body, headers=headers)
    assert answer.json() == {"status": "SUCCESS"}
    events = runtime.wait_finished(sessions(runtime)[subject])
    assert (events[0]["content"], events[-1]["outcome"]) == (SAID, "completed")


def test_base64_and_objects_become_text(runtime: Runtime) -> None:
    """What publishers send: bytes, or JSON without a `content`."""
    encoded = event("64", subject="bytes") | {"data": None, "data_base64": base64.b64encode(SAID.encode()).decode()}
    assert structured(runtime, encoded).json() == {"status": "SUCCESS"}
    assert runtime.log(sessions(runtime)["bytes"])[0]["content"] == SAID
    assert structured(runtime, event("o", subject="object", data={"alert": "high"})).json() == {"status": "SUCCESS"}
    assert json.loads(runtime.log(sessions(runtime)["object"])[0]["content"]) == {"alert": "high"}


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"specversion": "1.0"}',
        event("") | {"id": ""},
        event("x", data=""),
        event("x", data=None),
        event("x", data="y" * 65_537),
        event("x", specversion="0.3"),
        event("x") | {"data": None, "data_base64": "%"},
    ],
    ids=["no-json", "array", "no-id", "empty-id", "empty", "null", "too-long", "old-version", "no-base64"],
)
def test_what_can_never_be_a_message_is_dropped(runtime: Runtime, body: Any) -> None:
    """Delivered again and again it would block the topic."""
    answer = structured(runtime, body)
    assert (answer.status_code, answer.json()) == (200, {"status": "DROP"})


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", "ümlaut"])
def test_only_the_sidecar_may_deliver(runtime: Runtime, token: str) -> None:
    """By the token that Dapr and the app share."""
    headers = {b"Content-Type": b"application/cloudevents+json", b"dapr-api-token": token.encode()}
    answer = runtime.client.post("/dapr/events", content=json.dumps(event("t", subject="forged")), headers=headers)
    assert answer.status_code == 403
    assert "forged" not in sessions(runtime)
    assert TOKEN not in answer.text


def test_a_web_page_cannot_deliver(runtime: Runtime) -> None:
    """A form's content types need no preflight, so they are refused without the headers of an event."""
    assert structured(runtime, event("w"), **{"Content-Type": "text/plain"}).status_code == 415


def test_a_busy_session_and_a_drain_ask_for_a_retry(model: ModelServer, tmp_path: Path) -> None:
    """The event is not lost: after a restart, the retry is accepted, and what was accepted stays so."""
    slow = task(solo=[{"text": "late", "sleep": 2}])
    config = runtime_config(agent("solo", model.base_url))
    with Runtime(config, tmp_path, KAGENT_DAPR_EVENTS="true") as runtime:
        assert structured(runtime, event("1", subject="s", data=slow)).json() == {"status": "SUCCESS"}
        assert structured(runtime, event("2", subject="s")).json() == {"status": "RETRY"}
        assert structured(runtime, event("1", subject="s", data=slow)).json() == {"status": "SUCCESS"}
        runtime.process.send_signal(signal.SIGTERM)
        while runtime.client.get("/readyz").status_code == 200:
            pass
        assert structured(runtime, event("3", subject="other")).json() == {"status": "RETRY"}
        assert runtime.process.wait(20) == 0
        runtime.client.close()
        for pipe in (runtime.process.stdout, runtime.process.stderr):
            assert pipe is not None
            pipe.close()
        runtime.start()
        assert structured(runtime, event("1", subject="s", data=slow)).json() == {"status": "SUCCESS"}
        assert structured(runtime, event("2", subject="s")).json() == {"status": "SUCCESS"}
        session = sessions(runtime)["s"]
        events = runtime.wait_finished(session)
        assert [item["type"] for item in events].count("message.user") == 2


def test_without_dapr_there_is_no_route(model: ModelServer, tmp_path: Path) -> None:
    """What is not asked for is not open."""
    with Runtime(runtime_config(agent("solo", model.base_url)), tmp_path) as runtime:
        assert structured(runtime, event("1")).status_code == 404
