"""alertmanager tools against a real Alertmanager: alerts that are sent to it, silences that take effect."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from kagent_render.catalog.base import Endpoint
from kagent_render.catalog.tools.alertmanager import OPERATIONS
from kagent_runtime.approvals import APPROVED_PREVIEW
from kagent_runtime.component_tree import _repeatable
from kagent_runtime.components.alertmanager_operations import matchers
from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.components.gate import Previewing
from tests.edge.alertmanager_server import AlertmanagerServer
from tests.edge.http_target import HttpTarget
from tests.runtime.benches import Bench, compiled, endpoints

DISK = {
    "labels": {"alertname": "DiskFull", "instance": "db-1", "severity": "page"},
    "annotations": {"summary": "The disk of db-1 is full"},
}
TOKEN = {"bearerTokenSecretRef": "{name: am, key: token}"}
QUEUE = {"labels": {"alertname": "QueueTooLong", "instance": "shop"}, "annotations": {}}


def tools(url: str, **more: str) -> dict[str, str]:
    """A tool for each operation."""
    block = "".join(f", {name}: {value}" for name, value in more.items())
    return {
        operation: f"type: alertmanager\ndescription: Asks\n"
        f'alertmanager: {{operation: {operation}, url: "{url}", allowPrivateAddresses: true, maxMinutes: 60{block}}}'
        for operation in OPERATIONS
    }


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AlertmanagerServer]:
    with AlertmanagerServer(tmp_path_factory.mktemp("alertmanager")) as server:
        server.fire(DISK, QUEUE)
        yield server


@pytest.fixture
def bench(alertmanager: AlertmanagerServer, tmp_path: Path) -> Bench:
    return Bench(tmp_path, {name.replace("_", "-"): spec for name, spec in tools(alertmanager.origin).items()})


async def preview(bench: Bench, name: str, **arguments: Any) -> tuple[str | None, bool]:
    """What a person would be shown."""
    assert isinstance(bench.workbench, Previewing)
    return await bench.workbench.preview(name, arguments, None)


async def test_alerts_are_listed_and_selected(bench: Bench) -> None:
    """By matchers as Alertmanager writes them, and by state."""
    lines = (await bench.gets("alerts")).splitlines()
    assert lines[0].split() == ["STATE", "SINCE", "LABELS", "SUMMARY"]
    assert len(lines) == 3
    (line,) = (await bench.gets("alerts", match='alertname="DiskFull", instance=~"db.*"')).splitlines()[1:]
    assert line.startswith("active   20")
    assert line.endswith('alertname="DiskFull", instance="db-1", severity="page"   The disk of db-1 is full')
    assert await bench.gets("alerts", match='severity!="page",alertname="DiskFull"') == "There are no such alerts."
    assert await bench.gets("alerts", state="suppressed") == "There are no such alerts."


async def test_a_silence_from_its_preview_to_its_end(bench: Bench, alertmanager: AlertmanagerServer) -> None:
    """Alertmanager holds the alert back, says by which silence, and sends it again afterwards."""
    wanted = {"match": 'alertname="DiskFull"', "minutes": 30, "comment": "The disk is being replaced"}
    shown, is_error = await preview(bench, "silence", **wanted)
    assert not is_error, shown
    assert (shown or "").splitlines() == [
        'silence for 30 minutes what matches alertname="DiskFull"',
        "because: The disk is being replaced",
        "alerts that match now: 1",
        '  alertname="DiskFull", instance="db-1", severity="page"',
    ]
    assert alertmanager.silences() == []
    token = APPROVED_PREVIEW.set(shown)
    try:
        text = await bench.gets("silence", **wanted)
    finally:
        APPROVED_PREVIEW.reset(token)
    (made,) = alertmanager.silences()
    assert text.startswith(f"silence {made['id']} until 20")
    assert made["createdBy"] == "kagent"
    length = datetime.fromisoformat(made["endsAt"]) - datetime.fromisoformat(made["startsAt"])
    assert abs(length.total_seconds() - 1800) < 5
    assert f"suppressed by silence {made['id']}" in await bench.gets("alerts", state="suppressed")
    (row,) = (await bench.gets("silences")).splitlines()[1:]
    assert re.fullmatch(
        rf'{made["id"]}   active   \S+   alertname="DiskFull"   kagent   The disk is being replaced', row
    )

    shown, is_error = await preview(bench, "expire-silence", id=made["id"])
    assert not is_error, shown
    assert "The disk is being replaced" in (shown or "")
    assert "has ended" in await bench.gets("expire-silence", id=made["id"])
    assert await bench.gets("alerts", state="suppressed") == "There are no such alerts."
    assert (await preview(bench, "expire-silence", id=made["id"]))[1]
    assert made["id"] in await bench.gets("silences", state="expired")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"match": 'alertname="DiskFull"', "minutes": 61, "comment": "x"}, "`minutes` must be from 1 to 60"),
        ({"match": 'alertname="DiskFull"', "minutes": 0, "comment": "x"}, "`minutes` must be from 1 to 60"),
        ({"match": 'alertname=~".*"', "minutes": 5, "comment": "x"}, "every alert would be silenced"),
        ({"match": 'alertname!="DiskFull"', "minutes": 5, "comment": "x"}, "every alert would be silenced"),
        ({"match": 'alertname=""', "minutes": 5, "comment": "x"}, "every alert would be silenced"),
        ({"match": "alertname=DiskFull", "minutes": 5, "comment": "x"}, "`match` is not understood from"),
        ({"match": 'alertname=~"(unclosed"', "minutes": 5, "comment": "x"}, "HTTP 400 from 127.0.0.1"),
        ({"match": 'alertname="DiskFull"', "minutes": 5}, "the argument `comment` is required"),
    ],
)
async def test_a_silence_that_may_not_be(
    bench: Bench, alertmanager: AlertmanagerServer, arguments: dict[str, Any], told: str
) -> None:
    """Neither without end nor for everything; nobody is asked to approve it, and nothing is made."""
    before = len(alertmanager.silences())
    text, is_error = await preview(bench, "silence", **arguments)
    assert is_error
    assert told in (text or "")
    assert told in await bench.fails("silence", **arguments)
    assert len(alertmanager.silences()) == before


async def test_an_id_cannot_leave_its_place(bench: Bench) -> None:
    """Only ids are taken."""
    assert "is not the id of a silence" in await bench.fails("expire-silence", id="../alerts")
    absent = "00000000-0000-0000-0000-000000000000"
    assert "HTTP 404" in (await preview(bench, "expire-silence", id=absent))[0]  # type: ignore[operator]


def test_matchers_are_read_as_alertmanager_writes_them() -> None:
    """Quotes and backslashes too."""
    assert matchers(r'a="x\"y\\z", b!~"c,d" ') == [
        {"name": "a", "value": 'x"y\\z', "isRegex": False, "isEqual": True},
        {"name": "b", "value": "c,d", "isRegex": True, "isEqual": False},
    ]
    for text in ('a="b" c="d"', "a", 'a=="b"', 'a="b'):
        with pytest.raises(ToolFailureError):
            matchers(text)


async def test_every_request_goes_where_the_network_policy_lets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the server that the spec names, with its token; the operations that read may be made again, the others not."""
    monkeypatch.setenv("KAGENT_TOOL_SILENCE_TOKEN", "canary-token")
    with HttpTarget() as target:
        named = {name.replace("_", "-"): spec for name, spec in tools(target.origin, **TOKEN).items()}
        config, workload = compiled(tmp_path / "config", named)
        parts = urlsplit(target.origin)
        assert endpoints(workload) == {Endpoint(parts.hostname or "", parts.port or 0, "http", is_private=True)}
        (bench,) = config["component"]["config"]["workbench"]
        assert _repeatable(bench) == ["alerts", "silences"]
        (agent,) = config["agents"]
        assert agent["requiresApproval"] == ["silence", "expire-silence"]
        wanted = {"match": 'alertname="DiskFull"', "minutes": 5, "comment": "x"}
        text = await Bench(tmp_path / "bench", named).fails("silence", **wanted)
        assert "does not say which silence it made" in text
        (sent,) = target.received
        assert (sent.method, sent.path) == ("POST", "/api/v2/silences")
        assert sent.headers["authorization"] == "Bearer canary-token"
